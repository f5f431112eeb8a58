/// A batch command that is under way. It is stored from when its members are known until their outcomes are confirmed,
/// so that the next process completes it.
package struct Batch: Hashable, Sendable {
  package var number: Int64
  /// The command's.
  package var key: CommandKey
  package var command: BatchCommand
  /// The command's `message_id`, to which the outcomes of its members are correlated.
  package var messageID: [UInt8]?
  /// Counts the members that are decided.
  package var counts: BatchCounts
  /// Whether the command was answered before, with these counts, and is applied again to some schedules.
  package var isRepeat: Bool
  /// Whether all of its members are stored. Nothing is decided before; after a crash the command begins again.
  package var isComplete: Bool

  package init(
    number: Int64, key: CommandKey, command: BatchCommand, messageID: [UInt8]?, counts: BatchCounts,
    isRepeat: Bool = false, isComplete: Bool = false
  ) {
    self.number = number
    self.key = key
    self.command = command
    self.messageID = messageID
    self.counts = counts
    self.isRepeat = isRepeat
    self.isComplete = isComplete
  }
}

/// A schedule to which a batch command applies.
package struct BatchMember: Hashable, Comparable, Sendable {
  package var batch: Int64
  package var id: ScheduleID

  package init(batch: Int64, id: ScheduleID) {
    self.batch = batch
    self.id = id
  }

  package static func < (left: BatchMember, right: BatchMember) -> Bool {
    (left.batch, left.id) < (right.batch, right.id)
  }
}

/// A stored member. It is removed when its outcome is confirmed.
package struct BatchMemberRow: Hashable, Sendable {
  package var member: BatchMember
  /// Nil until it is decided.
  package var answer: RememberedCommand.Answer?

  package init(member: BatchMember, answer: RememberedCommand.Answer? = nil) {
    self.member = member
    self.answer = answer
  }
}

/// Consecutive members, in order.
package struct BatchPage: Hashable, Sendable {
  /// All batches; on the first page only.
  package var batches: [Batch]
  package var rows: [BatchMemberRow]
  /// Whether no member follows.
  package var isLast: Bool

  package init(batches: [Batch] = [], rows: [BatchMemberRow] = [], isLast: Bool = true) {
    self.batches = batches
    self.rows = rows
    self.isLast = isLast
  }
}
