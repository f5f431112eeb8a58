import Recurrence

/// What the engine has decided and not handed on yet: changes for the next transaction, outcomes that follow it,
/// replies, reports.
///
/// The engine's values return what follows from an event; the engine adds it here.
struct Turn {
  /// The time of the event or decision that is being handled.
  var now: Now
  /// The changes for the next transaction, in order.
  private(set) var changes: [Change] = []
  /// Decided commands whose changes are among `changes`: their outcomes are published once these are stored.
  private(set) var answers: [Answer] = []
  private var replies: [Reply] = []
  private var reports: [Engine.Report] = []

  /// A decided command.
  struct Answer: Sendable {
    var source: CommandSource
    /// The channel of the delivery; nil for an inbox command.
    var channel: UInt64?
    var decision: CommandDecision
    /// Where to send the outcome, beside the event bus.
    var replyTo: ReplyAddress?
  }

  init() { now = Now(wall: Instant(milliseconds: .min), uptime: .min) }

  /// Whether changes of the inbox are still to be stored.
  var changesInbox: Bool {
    changes.contains { if case .inbox = $0 { true } else { false } }
  }

  mutating func change(_ change: Change) { changes.append(change) }
  mutating func change(_ changes: [Change]) { self.changes += changes }

  mutating func answer(_ answer: Answer) {
    assert(answer.decision.changes.isEmpty || !changes.isEmpty, "the changes of a command come before its answer")
    answers.append(answer)
  }

  mutating func reply(_ reply: Reply) { replies.append(reply) }

  mutating func report(_ report: Engine.Report) { reports.append(report) }

  /// The batch for the next transaction.
  ///
  /// - Parameter room: The expected number of changes in the batch after it.
  mutating func takeBatch(reserving room: Int) -> (changes: [Change], answers: [Answer]) {
    assert(!changes.isEmpty, "a transaction has changes")
    defer {
      changes = []
      changes.reserveCapacity(room)
      answers = []
    }
    return (changes, answers)
  }

  /// The answers, if no change has to be stored before them.
  mutating func takeAnswersWithoutChanges() -> [Answer] {
    guard changes.isEmpty else { return [] }
    defer { answers = [] }
    return answers
  }

  mutating func takeReplies() -> [Reply] {
    defer { replies.removeAll() }
    return replies
  }

  mutating func takeReports() -> [Engine.Report] {
    defer { reports.removeAll() }
    return reports
  }
}
