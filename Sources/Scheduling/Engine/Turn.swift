import Recurrence

/// What the engine has decided and not yet handed on: changes for the next transaction, outcomes that follow it, reports.
///
/// The engine's values add to it; none of them changes another.
struct Turn {
  /// The time of the event or the decision that is being handled.
  var now: Now
  /// Waiting for the next transaction, in order.
  private(set) var changes: [Change] = []
  /// Decided commands whose changes are among `changes`: their outcomes are published once these are stored.
  private(set) var answers: [Answer] = []
  private var reports: [Engine.Report] = []

  /// A decided command.
  struct Answer: Sendable {
    var source: CommandSource
    /// The channel on which a delivery came; nil for a command of the inbox.
    var channel: UInt64?
    var decision: CommandDecision
  }

  /// Before the first event.
  init() { now = Now(wall: Instant(milliseconds: .min), uptime: .min) }

  mutating func change(_ change: Change) { changes.append(change) }
  mutating func change(_ changes: [Change]) { self.changes += changes }

  mutating func answer(_ answer: Answer) {
    assert(answer.decision.changes.isEmpty || !changes.isEmpty, "the changes of a command come before its answer")
    answers.append(answer)
  }

  mutating func report(_ report: Engine.Report) { reports.append(report) }

  /// The batch for the next transaction.
  ///
  /// - Parameter room: How many changes the batch after it is expected to have.
  mutating func takeBatch(reserving room: Int) -> (changes: [Change], answers: [Answer]) {
    defer {
      changes = []
      // At once rather than little by little.
      changes.reserveCapacity(room)
      answers = []
    }
    return (changes, answers)
  }

  /// The answers, if there is nothing to be stored before them.
  mutating func takeAnswersWithoutChanges() -> [Answer] {
    guard changes.isEmpty else { return [] }
    defer { answers = [] }
    return answers
  }

  mutating func takeReports() -> [Engine.Report] {
    defer { reports.removeAll() }
    return reports
  }
}
