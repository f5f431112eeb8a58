import Testing

@testable import PocketwatchService

@Suite("Readiness")
struct ReadinessTests {
  @Test("each change is told once, the most important obstacle first")
  func changes() {
    let log = RecordingLog()
    var readiness = Readiness(logger: log.logger, notifier: Notifier(environment: [:]))
    func told() -> [String] {
      readiness.tell()
      readiness.tell()
      return log.take().map { "\($0.level): \($0.message)" }
    }
    #expect(told() == ["warning: waiting for the broker: connecting"])
    readiness.set(.publisher, obstacle: "the broker: connecting")
    #expect(told() == [], "the same obstacle, of the other connection")
    readiness.set(.publisher, obstacle: nil)
    readiness.set(.consumer, obstacle: "commands: queue gone")
    #expect(told() == ["warning: waiting for commands: queue gone"])
    readiness.set(.consumer, obstacle: nil)
    #expect(told() == ["info: ready"])
    readiness.set(.blocked, obstacle: "the broker, which takes no messages")
    readiness.set(.store, obstacle: "the database: full")
    #expect(told() == ["warning: waiting for the database: full"])
    readiness.set(.store, obstacle: nil)
    #expect(told() == ["warning: waiting for the broker, which takes no messages"])
    readiness.set(.blocked, obstacle: nil)
    #expect(told() == ["info: ready"])
    readiness.set(.stopping, obstacle: "what is under way, to stop")
    readiness.set(.publisher, obstacle: "the broker: gone")
    #expect(told() == ["warning: waiting for what is under way, to stop"])
  }

  @Test("brokers that say different things in turn are told of together, and not in a loop")
  func severalBrokers() {
    let log = RecordingLog()
    var readiness = Readiness(logger: log.logger, notifier: Notifier(environment: [:]))
    for _ in 1...5 {
      for (broker, text) in [
        ("one", "the broker: refused"), ("two", "the broker: no route"), ("three", "the broker: refused"),
      ] {
        readiness.set(.consumer, obstacle: text, at: broker)
        readiness.tell()
      }
    }
    #expect(
      log.take().map(\.message) == [
        "waiting for the broker: refused", "waiting for the broker: refused; the broker: no route",
      ])
    readiness.set(.consumer, obstacle: nil)
    readiness.tell()
    readiness.set(.consumer, obstacle: "the broker: no route", at: "two")
    readiness.tell()
    #expect(log.take().map(\.message) == ["ready", "waiting for the broker: no route"])
  }
}
