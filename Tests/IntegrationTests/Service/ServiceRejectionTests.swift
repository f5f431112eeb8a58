import AMQP
import PocketwatchService
import Testing

/// P3: bad commands are answered, kept, and harm nothing.
@Suite("The service: bad commands", .serialized, .enabled(if: TestEnvironment.hasService, TestEnvironment.needsService))
struct ServiceRejectionTests {
  @Test("each kind of bad input: its Rejected, the unchanged message in the dead queue, and the next command works")
  func badInput() async throws {
    try await ServiceProcess.running { service, bus in
      let dead = try await bus.deadLetters()
      for (index, bad) in ServiceRejectionCase.all.enumerated() {
        let sent = bus.message(bad.key, bad.body, Self.properties(index))
        try await bus.send([sent])
        let rejected = try await bus.next("Schedule Rejected")
        #expect(rejected.detail.field == bad.field, "\(bad)")
        #expect(rejected.detail.reason?.contains(bad.reason) == true, "\(bad): \(rejected.detail.reason ?? "")")
        #expect(rejected.detail.id == bad.id, "\(bad)")
        #expect(rejected.detail.messageId == "bad-\(index)", "\(bad)")
        #expect(rejected.properties.correlationID == sent.properties.messageID, "\(bad)")
        #expect(rejected.body.utf8.count < 2000, "a Rejected quotes little input")
        let kept = try await dead.next("\(bad) in the dead queue")
        #expect(kept.body == bad.body, "\(bad)")
        #expect(kept.routingKey == Array(bad.key.utf8), "\(bad)")
        #expect(Self.sent(kept.properties) == sent.properties, "\(bad)")
      }
      try await bus.start(#""id": "good", "duration": "1h""#)
      _ = try await bus.next("Schedule Started", of: "good")
      #expect(bus.events.all.count == ServiceRejectionCase.all.count + 1)
      #expect(dead.all.count == ServiceRejectionCase.all.count)
    }
  }

  private static func properties(_ index: Int) -> Properties {
    var properties = Properties.named("bad-\(index)")
    properties.contentType = "text/plain"
    properties.replyTo = Array("somewhere".utf8)
    properties.priority = 3
    properties.type = "anything"
    properties.timestamp = 1_795_435_200
    properties.headers = ["n": .int64(7), "x-mine": "mine"]
    return properties
  }

  /// The properties without the headers that dead-lettering adds; it also sorts them.
  private static func sent(_ properties: Properties) -> Properties {
    var properties = properties
    properties.headers.fields.removeAll { field in added.contains { field.name.hasPrefix($0) } }
    return properties
  }

  /// The last three are of RabbitMQ 4.
  private static let added = ["x-death", "x-first-death", "x-last-death", "x-delivery-count", "x-acquired-count"]

  @Test("our own event names are dead-lettered without an outcome")
  func ownEvents() async throws {
    try await ServiceProcess.running { service, bus in
      let dead = try await bus.deadLetters()
      // As a topology with too many bindings would route them.
      try bus.withConnection { connection in
        for key in ["Schedule Tick", "Schedule Rejected"] {
          try connection.bindQueue(bus.names.commandQueue, to: bus.names.eventBus, routingKey: key)
        }
      }
      let tick = ServiceBus.event("Schedule Tick", #""id": "own", "counter": 1"#)
      for (key, body) in [("Schedule Tick", tick), ("Schedule Rejected", "nonsense"), ("Schedule Start", tick)] {
        try await bus.send(key, body)
        #expect(try await dead.next("\(key) in the dead queue").body == Array(body.utf8))
      }
      try await bus.start(#""id": "good", "duration": "1h""#)
      _ = try await bus.next("Schedule Started")
      #expect(!bus.events.all.contains { $0.name == "Schedule Rejected" })
      try await service.logs("received an event of this scheduler on the command queue")
    }
  }

  @Test("a command rejected for the state is answered and not dead-lettered")
  func refusedForTheState() async throws {
    try await ServiceProcess.running { service, bus in
      let dead = try await bus.deadLetters()
      try await bus.stop("nobody", messageID: "m")
      let rejected = try await bus.next("Schedule Rejected")
      #expect(rejected.detail.id == "nobody")
      #expect(rejected.detail.field == "id")
      try await bus.send("Schedule Stop", "bad")
      _ = try await bus.next("Schedule Rejected")
      #expect(try await dead.next("the bad one").body == Array("bad".utf8))
      #expect(dead.all.count == 1)
    }
  }
}
