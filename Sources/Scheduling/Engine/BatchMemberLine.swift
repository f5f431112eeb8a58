import DequeModule

/// The members of batches: waiting to be decided, or decided with an outcome that is not confirmed yet.
///
/// Their number is limited by what one command may select, since a further batch waits until all are decided.
struct BatchMemberLine {
  private var waiting: Deque<BatchMember> = []
  /// The schedules of `waiting`, with how many members each has there: after a restart, one in each of several batches.
  private var counts: [ScheduleID: Int] = [:]
  /// What members were answered by an earlier process.
  private var answers: [BatchMember: RememberedCommand.Answer] = [:]
  /// Members whose outcome is not confirmed, with the size of its payload in bytes.
  private var unconfirmed: [BatchMember: Int] = [:]
  private var bytes = 0
  private let step: Int
  private let maximum: Int
  private let maximumBytes: Int

  init(settings: Engine.Settings) {
    step = settings.batchStep
    maximum = settings.maximumMemberOutcomes
    maximumBytes = settings.maximumMemberBytes
  }

  /// Whether all members are decided.
  var isEmpty: Bool { waiting.isEmpty }

  /// Makes room for this many at once.
  mutating func reserve(_ count: Int) {
    waiting.reserveCapacity(waiting.count + count)
    counts.reserveCapacity(counts.count + count)
  }

  mutating func append(_ member: BatchMember, answer: RememberedCommand.Answer? = nil) {
    waiting.append(member)
    counts[member.id, default: 0] += 1
    if let answer { answers[member] = answer }
  }

  /// Takes members in order. Those of busy schedules are passed over, up to a number: each may hold an owed event in
  /// memory.
  mutating func take(unless isBusy: (ScheduleID) -> Bool) -> [BatchMember] {
    guard bytes < maximumBytes else { return [] }
    let limit = min(step, maximum - unconfirmed.count)
    var (taken, left): ([BatchMember], [BatchMember]) = ([], [])
    while taken.count < limit, left.count < maximum, let next = waiting.popFirst() {
      if isBusy(next.id) { left.append(next) } else { taken.append(next) }
    }
    for member in left.reversed() { waiting.prepend(member) }
    for member in taken { uncount(member.id) }
    return taken
  }

  /// Puts members that cannot be decided yet back in front, in order.
  mutating func putBack(_ members: [BatchMember]) {
    for member in members.reversed() {
      waiting.prepend(member)
      counts[member.id, default: 0] += 1
    }
  }

  private mutating func uncount(_ id: ScheduleID) {
    counts[id, default: 1] -= 1
    if counts[id] == 0 { counts[id] = nil }
  }

  /// Whether a member with this schedule is not decided yet.
  func contains(_ id: ScheduleID) -> Bool { counts[id] != nil }

  /// What a member was answered by an earlier process.
  func answer(of member: BatchMember) -> RememberedCommand.Answer? { answers[member] }

  mutating func decided(_ member: BatchMember, bytes size: Int) {
    answers[member] = nil
    unconfirmed[member] = size
    bytes += size
  }

  /// The outcome of a member is confirmed.
  mutating func confirmed(_ member: BatchMember) {
    bytes -= unconfirmed.removeValue(forKey: member) ?? 0
    assert(bytes >= 0 && (bytes == 0 || !unconfirmed.isEmpty), "bytes belong to outcomes")
  }
}
