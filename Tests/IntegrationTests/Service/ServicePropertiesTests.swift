import AMQP
import Foundation
import PocketwatchService
import Testing

/// The AMQP properties and headers of the service's events.
@Suite("The service: properties", .serialized, .enabled(if: TestEnvironment.hasService, TestEnvironment.needsService))
struct ServicePropertiesTests {
  @Test("properties and headers are those of the contract")
  func properties() async throws {
    try await ServiceProcess.running { service, bus in
      var sent = Properties()
      sent.messageID = [0xFF, 0x00, 0x41]  // any bytes
      sent.headers = [
        "traceparent": "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01", "tracestate": "rojo=1", "x": "y",
      ]
      try await bus.send(
        "Schedule Start", ServiceBus.event("Schedule Start", #""id": "p", "cron": "* * * * * *", "limit": 1"#), sent)
      let started = try await bus.next("Schedule Started")
      let tick = try await bus.next("Schedule Tick")
      let stopped = try await bus.next("Schedule Stopped")

      let generation = try #require(Self.text(started.properties.messageID)?.wholeMatch(of: /p@(\d+)\/started/)?.1)
      #expect(Self.text(tick.properties.messageID) == tick.detail.tickId)
      #expect(Self.text(stopped.properties.messageID) == "p@\(generation)/stopped")
      let slot = try #require(tick.detail.scheduledTime)
      #expect(tick.properties.headers["scheduled-time"] == .string(slot))
      let user = try BrokerURL(TestEnvironment.brokerURL).user
      for event in [started, tick, stopped] {
        let properties = event.properties
        #expect(properties.type == event.name)
        #expect(event.delivery.routingKey == Array(event.name.utf8))
        #expect(event.delivery.exchange == bus.names.eventBus)
        #expect(properties.contentType == "application/json")
        #expect(properties.deliveryMode == .persistent)
        #expect(properties.appID == "pocketwatch")
        #expect(properties.userID == user)
        #expect(properties.correlationID == sent.messageID)
        #expect(properties.headers["schedule-id"] == "p")
        #expect(properties.headers["traceparent"] == sent.headers["traceparent"])
        #expect(properties.headers["tracestate"] == sent.headers["tracestate"])
        #expect(properties.headers.fields.count == (event.isTick ? 4 : 3))
        let seconds = try #require(properties.timestamp)
        #expect(abs(Date.now.timeIntervalSince1970 - Double(seconds)) < 60)
        #expect([properties.expiration, properties.contentEncoding] == [nil, nil] && properties.replyTo == nil)
      }
    }
  }

  @Test("a Rejected has a message_id of its own, and no correlation_id if the command had no message_id")
  func rejection() async throws {
    try await ServiceProcess.running { service, bus in
      for _ in 1...2 { try await bus.stop("nobody") }
      let rejections = [try await bus.next("Schedule Rejected"), try await bus.next("Schedule Rejected")]
      #expect(Set(rejections.map(\.properties.messageID)).count == 2)
      for rejection in rejections {
        #expect(Self.text(rejection.properties.messageID).flatMap { UUID(uuidString: $0) } != nil)
        #expect(rejection.properties.correlationID == nil)
        #expect(rejection.detail.messageId == nil)
        #expect(rejection.properties.headers == ["schedule-id": "nobody"])
      }
    }
  }

  @Test("a trace over 512 bytes is left out, and a Stopped is correlated with its Stop")
  func traces() async throws {
    try await ServiceProcess.running { service, bus in
      var sent = Properties.named("the start")
      sent.headers = ["traceparent": "00-4bf9", "tracestate": .string(String(repeating: "x", count: 513))]
      try await bus.send("Schedule Start", ServiceBus.event("Schedule Start", #""id": "t", "duration": "1h""#), sent)
      let started = try await bus.next("Schedule Started")
      #expect(started.properties.headers == ["schedule-id": "t", "traceparent": "00-4bf9"])
      try await bus.stop("t", messageID: "the stop")
      let stopped = try await bus.next("Schedule Stopped")
      #expect(stopped.properties.correlationID == Array("the stop".utf8))
      #expect(stopped.properties.headers["traceparent"] == "00-4bf9")
    }
  }

  @Test("POCKETWATCH_USER_ID=off leaves user_id out")
  func userIDOff() async throws {
    try await ServiceProcess.prepared { service, bus in
      service.environment["POCKETWATCH_USER_ID"] = "off"
      try await service.start()
      try await bus.start(#""id": "u", "duration": "1s""#)
      #expect(try await bus.next("Schedule Tick").properties.userID == nil)
      #expect(try await bus.next("Schedule Started").properties.userID == nil)
    }
  }

  private static func text(_ bytes: [UInt8]?) -> String? {
    bytes.flatMap { String(validating: $0, as: UTF8.self) }
  }
}
