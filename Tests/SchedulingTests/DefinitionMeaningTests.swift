import Recurrence
import Scheduling
import Simulation
import Testing

/// Which definitions have the same meaning.
struct DefinitionMeaningTests {
  private let plain: Definition
  private let secret = SipHash.Key(1, 2)

  init() throws {
    plain = Definition(id: "a", timing: try Timing(every: "1h"), payload: Array("[1.0]".utf8))
  }

  @Test func defaultsAreTheSameAsAbsent() throws {
    var other = plain
    other.timing = try Timing(every: "60m")
    other.limit = 0
    other.timezone = "UTC"
    other.misfirePolicy = .fireOnce
    other.ifExists = .replaceIfChanged
    #expect(plain.asksForTheSame(as: other))
    #expect(plain.digest(secret: secret) == other.digest(secret: secret))
    other.misfirePolicy = .fireAll
    var withWindow = other
    withWindow.catchupWindow = try DurationExpression("1 day")
    #expect(other.asksForTheSame(as: withWindow))
    #expect(other.digest(secret: secret) == withWindow.digest(secret: secret))
  }

  @Test func everyFieldCounts() throws {
    let changes: [(inout Definition) throws -> Void] = [
      { $0.id = "b" }, { $0.timing = try Timing(every: "2h") }, { $0.timing = try Timing(duration: "1h") },
      { $0.timing = try Timing(cron: "0 * * * *") }, { $0.timing = .at(.noon) }, { $0.limit = 1 },
      { $0.timezone = "Europe/Rome" }, { $0.startDate = .noon }, { $0.endDate = .noon },
      { $0.jitter = try DurationExpression("1s") }, { $0.misfirePolicy = .skip },
      { $0.catchupWindow = try DurationExpression("1s") }, { $0.payload = Array("[1]".utf8) }, { $0.payload = nil },
    ]
    var digests = [plain.digest(secret: secret)] as Set
    for change in changes {
      var other = plain
      try change(&other)
      #expect(!plain.asksForTheSame(as: other), "\(other)")
      #expect(digests.insert(other.digest(secret: secret)).inserted, "\(other)")
      let differsInPayloadOnly = other.id == plain.id && other.payload != plain.payload
      #expect(plain.asksForTheSame(as: other, payload: false) == differsInPayloadOnly)
    }
  }

  /// The digest is stored: its input must never change.
  @Test func digestStaysTheSame() throws {
    var full = plain
    full.timing = try Timing(cron: "30 2 * * *")
    full.limit = 7
    full.timezone = "Europe/Rome"
    full.startDate = .noon
    full.endDate = .second(1)
    full.jitter = try DurationExpression("5m")
    full.misfirePolicy = .skip
    full.catchupWindow = try DurationExpression("2h")
    #expect(
      full.digest(secret: secret) == DefinitionDigest(high: 16_103_838_428_159_339_672, low: 12_510_292_648_432_108_781)
    )
    #expect(
      plain.digest(secret: secret) == DefinitionDigest(high: 4_840_423_633_231_904_026, low: 14_533_453_551_704_812_626)
    )
    #expect(plain.digest(secret: SipHash.Key(2, 1)) != plain.digest(secret: secret))
  }
}
