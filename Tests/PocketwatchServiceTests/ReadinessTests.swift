import Testing

@testable import AMQP
@testable import PocketwatchService

@Suite("Readiness")
struct ReadinessTests {
  private let log = RecordingLog()

  private func readiness() -> Readiness {
    Readiness(logger: log.logger, notifier: Notifier(environment: [:]))
  }

  /// The entries logged by an update at this time.
  private func logged(_ readiness: inout Readiness, at uptime: Int64 = 0) -> [String] {
    readiness.update(at: uptime)
    readiness.update(at: uptime)
    return log.take().map { "\($0.level): \($0.message)" }
  }

  /// Ready, as after a start.
  private func started() -> Readiness {
    var readiness = readiness()
    #expect(logged(&readiness) == ["info: not ready: connecting to the broker"])
    readiness.set(.publisher, reason: .connecting)
    #expect(logged(&readiness) == [], "the other connection")
    for part in [Readiness.Part.publisher, .consumer] { readiness.set(part, reason: nil) }
    #expect(logged(&readiness) == ["info: ready"])
    return readiness
  }

  private let lost = AMQPError(.connectionLost, "reset", endpoint: "amqp://u@one:5672/")
  private let away = AMQPError(.unreachable, "refused", endpoint: "amqp://u@one:5672/")
  private let shut = AMQPError(.connectionClosed(code: 320), "CONNECTION_FORCED", endpoint: "amqp://u@one:5672/")
  private let login = AMQPError(.refusedLogin, "ACCESS_REFUSED", endpoint: "amqp://u@one:5672/")

  @Test("a start is not a warning; the most important reason is logged at once")
  func start() {
    var readiness = readiness()
    #expect(logged(&readiness) == ["info: not ready: connecting to the broker"])
    readiness.set(.consumer, reason: .init(away), at: away.endpoint)
    readiness.set(.store, reason: .init("the database: full"))
    #expect(logged(&readiness) == ["warning: not ready: the database: full"])
  }

  @Test("an outage gives one entry, whatever the errors of its attempts, and its end another")
  func outage() {
    var readiness = started()
    for (second, (part, error)) in [
      (Readiness.Part.consumer, lost), (.publisher, shut), (.consumer, shut), (.publisher, away), (.consumer, away),
    ].enumerated() {
      readiness.set(part, reason: .init(error), at: error.endpoint)
      let entries = logged(&readiness, at: Int64(second) * 10_000)
      #expect(
        entries
          == (second == 0
            ? ["warning: not ready: the connection to the broker was lost (amqp://u@one:5672/): reset"] : []))
    }
    // A starting broker may refuse the login for a moment.
    readiness.set(.publisher, reason: .init(login), at: login.endpoint)
    #expect(logged(&readiness, at: 60_000) == [])
    #expect(readiness.deadline == 65_000)
    for part in [Readiness.Part.publisher, .consumer] { readiness.set(part, reason: nil) }
    #expect(logged(&readiness, at: 62_000) == ["info: ready"])
    #expect(readiness.deadline == nil)
  }

  @Test("another lasting reason is logged once, after five seconds")
  func lasting() {
    var readiness = started()
    readiness.set(.consumer, reason: .init(lost), at: lost.endpoint)
    #expect(logged(&readiness, at: 1_000).count == 1)
    for uptime in stride(from: Int64(2_000), to: 7_000, by: 1_000) {
      readiness.set(.consumer, reason: .init(login), at: login.endpoint)
      #expect(logged(&readiness, at: uptime) == [])
    }
    #expect(logged(&readiness, at: 7_000).first?.hasPrefix("warning: not ready: the broker refused the login") == true)
    for uptime in stride(from: Int64(8_000), to: 60_000, by: 1_000) { #expect(logged(&readiness, at: uptime) == []) }
    readiness.set(.consumer, reason: .init(away), at: away.endpoint)
    #expect(logged(&readiness, at: 70_000) == [] && logged(&readiness, at: 80_000) == [])
  }

  @Test("a flapping state is logged once, and ready again after ten seconds")
  func flapping() {
    var readiness = started()
    var entries: [String] = []
    for second in Int64(0)..<30 {
      readiness.set(.publisher, reason: .init(login))
      entries += logged(&readiness, at: second * 1_000)
      readiness.set(.publisher, reason: nil)
      entries += logged(&readiness, at: second * 1_000 + 500)
    }
    #expect(entries.map { $0.hasSuffix("ready") } == [false, true, false], "\(entries)")
    #expect(readiness.deadline == 39_500)
    #expect(logged(&readiness, at: 39_499) == [] && logged(&readiness, at: 39_500) == ["info: ready"])
    readiness.set(.publisher, reason: .init(login))
    #expect(logged(&readiness, at: 120_000).count == 1)
    readiness.set(.publisher, reason: nil)
    #expect(logged(&readiness, at: 120_001) == ["info: ready"], "long after the last")
  }

  @Test("a stop is logged, not as a warning")
  func stop() {
    var readiness = started()
    readiness.set(.publisher, reason: .init(away))
    readiness.set(.stopping, reason: .stopping)
    #expect(logged(&readiness) == ["info: stopping: waiting for confirms"])
  }

  @Test("brokers that give different reasons in turn are reported together")
  func severalBrokers() {
    var readiness = readiness()
    for round in Int64(1)...5 {
      for (broker, text) in [("one", "refused"), ("two", "no route"), ("three", "refused")] {
        readiness.set(.consumer, reason: .init(text), at: broker)
        readiness.update(at: round * 3_000)
      }
    }
    #expect(log.take().map(\.message) == ["not ready: refused", "not ready: refused; no route"])
  }

  @Test("an error about user_id names the setting that omits it")
  func userID() {
    let error = AMQPError(.channelClosed(code: 406), "PRECONDITION_FAILED - user_id property set to 'a'")
    #expect(Readiness.Reason(error).text.contains("POCKETWATCH_USER_ID=off"))
    #expect(!Readiness.Reason(lost).text.contains("POCKETWATCH_USER_ID"))
  }
}
