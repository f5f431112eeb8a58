import AMQP
import PocketwatchService
import Testing

/// Bad commands are answered, kept, and harm nothing.
@Suite("The service: bad commands", .serialized, .enabled(if: TestEnvironment.hasService, TestEnvironment.needsService))
struct ServiceRejectionTests {
  @Test("each kind of bad input: its Rejected, the very message in the dead queue, and the next command works")
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
        #expect(rejected.body.utf8.count < 2000, "a rejection echoes little")
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
    properties.replyTo = "somewhere"
    properties.priority = 3
    properties.type = "anything"
    properties.timestamp = 1_795_435_200
    properties.headers = ["n": .int64(7), "x-mine": "mine"]
    return properties
  }

  /// The properties without the headers that dead-lettering adds; it also sorts them.
  private static func sent(_ properties: Properties) -> Properties {
    var properties = properties
    properties.headers.fields.removeAll { $0.name.hasPrefix("x-death") || $0.name.hasPrefix("x-first-death") }
    return properties
  }

  @Test("our own event names are dead-lettered without an answer")
  func ownEvents() async throws {
    try await ServiceProcess.running { service, bus in
      let dead = try await bus.deadLetters()
      // As a topology with too many bindings would bring them.
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
      try await service.logs("one of our own events came to the command queue")
    }
  }

  @Test("a command refused for the state is answered, and is not dead")
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

  @Test("a thousand pieces of garbage, then a good command", .timeLimit(.minutes(2)))
  func garbage() async throws {
    try await ServiceProcess.running { service, bus in
      var random = SplitMix(seed: 20_261_123)
      let garbage = (0..<1000).map { _ -> Message in
        let count = Int.random(in: 0...600, using: &random)
        var body = (0..<count).map { _ in UInt8.random(in: 0...255, using: &random) }
        if Bool.random(using: &random) { body = Self.mutated(using: &random) }
        return bus.message(Bool.random(using: &random) ? "Schedule Start" : "Schedule Stop", body)
      }
      try await bus.send(garbage)
      try await bus.start(#""id": "good", "duration": "1s""#)
      _ = try await bus.next("Schedule Tick", of: "good")
      let answers = bus.events.all.filter { !$0.isTick }
      #expect(answers.count == 1001)
      #expect(answers.last?.name == "Schedule Started")
      // What happens at volume is told once, then counted.
      #expect(service.log.filter { $0.contains("rejected a") }.count == 1)
    }
  }

  /// A good Start with one byte changed.
  private static func mutated(using random: inout SplitMix) -> [UInt8] {
    var body = Array(ServiceBus.event("Schedule Start", #""id": "m", "cron": "0 0 1 1 *", "limit": 3"#).utf8)
    body[Int.random(in: body.indices, using: &random)] = UInt8.random(in: 0...255, using: &random)
    return body
  }
}

/// SplitMix64: the same numbers for the same seed, so that a failure can be run again.
private struct SplitMix: RandomNumberGenerator {
  private var state: UInt64

  init(seed: UInt64) { state = seed }

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var word = state
    word = (word ^ (word >> 30)) &* 0xBF58_476D_1CE4_E5B9
    word = (word ^ (word >> 27)) &* 0x94D0_49BB_1331_11EB
    return word ^ (word >> 31)
  }
}
