import AMQP
import PocketwatchService
import Testing

/// P17: garbage at volume and oversized messages do no harm and leave nothing behind.
@Suite(
  "The service: hostile input", .serialized, .timeLimit(.minutes(5)),
  .enabled(if: TestEnvironment.hasService, TestEnvironment.needsService))
struct ServiceHostileInputTests {
  private static let allowedGrowth = 20 << 20

  @Test("ten thousand pieces of garbage, then a valid command: each answered, garbage dead-lettered, memory flat")
  func garbage() async throws {
    try await ServiceProcess.running { service, bus in
      let count = 10_000
      var random = SoakGenerator(state: 20_261_123)
      let garbage = (0..<count).map { _ in Self.garbage(bus, &random) }
      let before = try service.residentMemory()
      try await bus.send(garbage)
      let sent = ContinuousClock.now
      try await bus.start(#""id": "good", "duration": "1s""#, messageID: "good")
      _ = try await bus.events.next("the answer to the good one", within: .seconds(120)) { $0.detail.id == "good" }
      let answered = ContinuousClock.now - sent
      _ = try await bus.next("Schedule Tick", of: "good")
      let answers = bus.events.all.filter { !$0.isTick }
      #expect(answers.count == count + 1 && answers.last?.detail.id == "good")
      // A Stop of an unknown id is rejected for the state, and is well-formed.
      let bad = answers.count {
        $0.name == "Schedule Rejected" && $0.detail.reason?.hasPrefix("no such schedule") == false
      }
      try await until("all garbage in the dead queue") {
        try bus.withConnection { try $0.checkQueue(bus.names.deadQueue)?.messages } == bad
      }
      let growth = try service.residentMemory() - before
      print(
        "garbage: \(bad) of \(count) dead-lettered, the valid command answered \(answered) after the last of them;"
          + " RSS \(before >> 10) KiB before, \((before + growth) >> 10) KiB after")
      #expect(growth <= Self.allowedGrowth)
      #expect(answered < .seconds(30), "under 5 s on an idle machine")
      // At volume, entries are logged once, then counted once a minute: ten different ones, and the others together.
      let logged = service.log.count { $0.contains("rejected a") }
      #expect((2...22).contains(logged), "\(logged)")
    }
  }

  /// Random bytes, something a faulty client could send, or a valid Start with one byte changed, which may still be valid.
  private static func garbage(_ bus: ServiceBus, _ random: inout SoakGenerator) -> Message {
    var body: [UInt8]
    switch Int.random(in: 0..<3, using: &random) {
    case 0: body = (0..<Int.random(in: 0...600, using: &random)).map { _ in .random(in: 0...255, using: &random) }
    case 1: body = cases.randomElement(using: &random)?.body ?? []
    default:
      body = Array(ServiceBus.event("Schedule Start", #""id": "m", "cron": "0 0 1 1 *", "limit": 3"#).utf8)
      body[Int.random(in: body.indices, using: &random)] = .random(in: 0...255, using: &random)
    }
    var properties = Properties()
    properties.contentType = ["text/xml", "application/json", nil].randomElement(using: &random) ?? nil
    return bus.message(random.oneIn(2) ? "Schedule Start" : "Schedule Stop", body, properties)
  }

  private static let cases = ServiceRejectionCase.all.filter { $0.body.count < 5000 }

  @Test("oversized: dead-lettered, or accepted without the excess, in bounded memory")
  func oversized() async throws {
    try await ServiceProcess.running { service, bus in
      let dead = try await bus.deadLetters()
      let before = try service.residentMemory()
      for _ in 0..<3 {
        for size in [1 << 20, 16 << 20] {
          try await bus.send([bus.message("Schedule Start", [UInt8](repeating: 0x7b, count: size))])
          let rejected = try await bus.next("Schedule Rejected")
          #expect(rejected.detail.field == "body" && rejected.detail.reason?.contains("\(size) bytes") == true)
          #expect(try await dead.next("the body of \(size) bytes").bodySize == UInt64(size))
        }
      }
      let growth = try service.residentMemory() - before
      print("oversized: six bodies of 1 and 16 MiB, RSS \(before >> 10) KiB before, \((before + growth) >> 10) after")
      #expect(growth <= Self.allowedGrowth)

      var properties = Properties.named(String(repeating: "m", count: 255))
      properties.replyTo = Array(repeating: UInt8(ascii: "r"), count: 255)
      properties.type = String(repeating: "t", count: 255)
      properties.headers["traceparent"] = .longString(Array(repeating: 0x30, count: 60_000))
      for number in 100..<355 {
        properties.headers[String(repeating: "k", count: 252) + "\(number)"] = .int32(1)
      }
      let start = ServiceBus.event("Schedule Start", #""id": "h", "duration": "1s""#)
      try await bus.send("Schedule Start", start, properties)
      _ = try await bus.next("Schedule Started", of: "h")
      let tick = try await bus.next("Schedule Tick", of: "h")
      #expect(tick.properties.correlationID == properties.messageID)
      #expect(tick.properties.headers["traceparent"] == nil)

      let keys = (0..<20_000).map { #""k\#($0)": 0"# }.joined(separator: ", ")
      try await bus.start(#""id": "o", "every": "1h", \#(keys)"#)
      let odd = try await bus.next("Schedule Started", of: "o")
      print("oversized: 20,000 unknown fields, of which Started names \(odd.detail.ignored?.count ?? 0)")
      try await bus.start(#""id": "p", "every": "1h", "payload": {\#(keys)}"#)
      #expect(try await bus.next("Schedule Started", of: "p").payload == "{\(keys)}")
      #expect(dead.all.count == 6)
    }
  }

  @Test("a routing key of 255 bytes, from a topology with too many bindings, is refused and kept")
  func longKey() async throws {
    try await ServiceProcess.running { service, bus in
      let dead = try await bus.deadLetters()
      try bus.withConnection { try $0.bindQueue(bus.names.commandQueue, to: bus.names.eventBus, routingKey: "#") }
      let key = String(repeating: "k", count: 255)
      try await bus.send(key, ServiceBus.event("Schedule Start", #""id": "k", "every": "1h""#))
      #expect(try await bus.next("Schedule Rejected").detail.field == "DetailType")
      // Our own Rejected is routed to the command queue, too, and is dead-lettered as well.
      try await until("the message in the dead queue") { dead.all.contains { $0.routingKey == Array(key.utf8) } }
    }
  }
}
