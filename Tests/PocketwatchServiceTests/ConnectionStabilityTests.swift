import Recurrence
import Scheduling
import Testing

@testable import AMQP
@testable import PocketwatchService

@Suite("ConnectionStability of the publishing connection")
struct ConnectionStabilityTests {
  private let server = ServerInfo(endpoint: "amqp://u@one:5672/", user: "u")

  private func at(_ uptime: Int64) -> Now { Now(wall: Instant(milliseconds: 0), uptime: uptime) }

  @Test("a connection is healthy at once, reported once")
  func plain() {
    var stability = ConnectionStability()
    #expect(stability.passed(at: at(0)) == nil)
    stability.connected(to: server, at: at(5))
    #expect(stability.passed(at: at(5)) != nil)
    #expect(stability.passed(at: at(6)) == nil)
    stability.failed(AMQPError(.connectionLost, "reset"))
    stability.connected(to: server, at: at(7))
    #expect(stability.passed(at: at(7)) != nil)
  }

  @Test("after a channel error it is healthy only with a confirm or after ten seconds, and never in a loop of errors")
  func suspect() {
    var stability = ConnectionStability()
    for uptime in 1...5 {
      stability.failed(AMQPError(.channelClosed(code: 403), "ACCESS_REFUSED"))
      stability.connected(to: server, at: at(Int64(uptime) * 1000))
      #expect(stability.passed(at: at(Int64(uptime) * 1000 + 999)) == nil)
    }
    stability.confirmed(at: at(6000))
    #expect(stability.passed(at: at(6000)) != nil)
    stability.failed(AMQPError(.channelClosed(code: 403), "ACCESS_REFUSED"))
    stability.confirmed(at: at(6500))
    stability.connected(to: server, at: at(7000))
    #expect(stability.end == 17_000)
    #expect(stability.passed(at: at(16_999)) == nil)
    #expect(stability.passed(at: at(17_000)) != nil)
  }
}
