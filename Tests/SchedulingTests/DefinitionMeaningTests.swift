import Recurrence
import Scheduling
import Simulation
import Testing

/// Which definitions ask for the same.
struct DefinitionMeaningTests {
  private let plain: Definition

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
    other.misfirePolicy = .fireAll
    var withWindow = other
    withWindow.catchupWindow = try DurationExpression("1 day")
    #expect(other.asksForTheSame(as: withWindow))
  }

  @Test func everyFieldCounts() throws {
    let changes: [(inout Definition) throws -> Void] = [
      { $0.id = "b" }, { $0.timing = try Timing(every: "2h") }, { $0.timing = try Timing(duration: "1h") },
      { $0.timing = try Timing(cron: "0 * * * *") }, { $0.timing = .at(.noon) }, { $0.limit = 1 },
      { $0.timezone = "Europe/Rome" }, { $0.startDate = .noon }, { $0.endDate = .noon },
      { $0.jitter = try DurationExpression("1s") }, { $0.misfirePolicy = .skip },
      { $0.catchupWindow = try DurationExpression("1s") }, { $0.payload = Array("[1]".utf8) }, { $0.payload = nil },
    ]
    for change in changes {
      var other = plain
      try change(&other)
      #expect(!plain.asksForTheSame(as: other), "\(other)")
    }
  }
}
