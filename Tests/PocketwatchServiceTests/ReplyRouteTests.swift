import AMQP
import Recurrence
import Scheduling
import Testing

@testable import PocketwatchService

@Suite("Replies")
struct ReplyRouteTests {
  private func route(_ address: [UInt8], directly: Bool = false) -> String? {
    ReplyRoute(
      ReplyAddress(replyTo: address), names: TopologyNames(stack: "s"), answersDirectly: directly
    ).map { "\($0.exchange)/\($0.routingKey)" }
  }

  private func route(_ address: String, directly: Bool = false) -> String? {
    route(Array(address.utf8), directly: directly)
  }

  @Test("a reply goes to the exchange of the replies, with the address as routing key")
  func usual() {
    #expect(route("client.1") == "s.replies/client.1")
    #expect(route(String(repeating: "r", count: 255))?.count == 255 + "s.replies/".count)
    for queue in ["s.commands", "s.dead", "amq.gen-x", "schedule Start", "é", "#"] {
      #expect(route(queue) == "s.replies/\(queue)", "it reaches only what a client has bound there")
    }
  }

  @Test("no reply to routing keys of the event bus, nor to anything but a text of 1 to 255 bytes")
  func none() {
    for address in ["Schedule Start", "Schedule Tick", "Schedule ", "Message Send", ""] {
      #expect(route(address) == nil, "\(address)")
    }
    #expect(route(String(repeating: "r", count: 256)) == nil)
    #expect(route([0x61, 0xFF]) == nil)
  }

  @Test("direct reply-to is answered over the default exchange, and only if it is on")
  func direct() {
    #expect(route("amq.rabbitmq.reply-to.g1h2") == nil)
    #expect(route("amq.rabbitmq.reply-to.g1h2", directly: true) == "/amq.rabbitmq.reply-to.g1h2")
    #expect(route("amq.rabbitmq.reply-to", directly: true) == "s.replies/amq.rabbitmq.reply-to")
    #expect(route("pocketwatch.commands", directly: true) == "s.replies/pocketwatch.commands")
  }
}
