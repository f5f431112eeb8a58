import Recurrence
import Scheduling

/// What the checker knows of one schedule, by its generation: what was stored, sent, seen and confirmed.
struct SimulationTrack {
  struct SentTick {
    var tick: Tick
    /// The number under which it was last sent, and when, on the monotonic clock.
    var number: UInt64
    var uptime: Int64
    /// When this process sent it first; nil if it has not.
    var firstUptime: Int64?
    /// What happened since that allows it to be sent again.
    var excuse: RareState?
    /// When the broker refused it, while it was waited for, on the same connection.
    var refusals: [Int64] = []

    /// How long it has to wait after so many refusals: 1 s, 2 s, 4 s … 60 s.
    var pauseMilliseconds: Int64 { min(1000 << min(Int64(refusals.count) - 1, 6), 60_000) }
  }

  let definition: Definition
  /// The label of the message that started it.
  let label: Int
  var state: Schedule.State
  var counter: Int64 = 0
  /// The entry of the history from which on it is over.
  var endedEntry: Int?
  var isReplaced = false
  var sent: [Instant: SentTick] = [:]
  var lastSlotSent: Instant?
  /// The slots of which a tick arrived, in the order of their first arrivals.
  var arrived: [Instant] = []
  var confirmed: Set<Instant> = []
  var givenUp: Set<Instant> = []
  /// How often the clock was set far back, so that its next slot may become an earlier one.
  var movesLeft = 0
  var wasSetBack = false
  /// How far ahead of the wall clock its slot may lie, beside its own distance: slots are not looked for anew after smaller
  /// steps back.
  var waitAllowance = SimulationChecker.day
  /// Whether the process that saw that ended since: the next one knows only if the in-doubt mark tells it.
  var isSetBackForgotten = false
  /// What was confirmed, arrived and given up before that.
  var countedBefore = 0, arrivedBefore = 0, givenUpBefore = 0
  var isStoppedSent = false
  var hasStoppedArrived = false
  var isStoppedConfirmed = false
  var isAnnounced = false

  init(_ schedule: Schedule) {
    definition = schedule.definition
    label = schedule.origin.label
    state = schedule.state
  }

  var nextTick: Schedule.NextTick? { if case .live(let nextTick) = state { nextTick } else { nil } }
  var ending: Schedule.Ending? { if case .ended(let ending) = state { ending } else { nil } }

  /// The number of ticks after which it ends by itself; nil when there is none.
  var limit: Int64? {
    guard let limit = definition.limit, limit > 0, !definition.timing.isOneShot else { return nil }
    return limit
  }

  /// The distance of its slots in milliseconds, told from the definition without the code under test; nil for a one-shot.
  var step: Int64? {
    switch definition.timing {
    case .every(let interval): interval.milliseconds
    case .cron(let expression):
      switch expression.text.prefix(4) {
      case "* * ": 1_000
      case "*/5 ": 5_000
      case "*/20": 20_000
      default: 60_000
      }
    case .at, .duration: nil
    }
  }

  var mayMove: Bool { movesLeft > 0 }

  /// The slot after one; nil for a one-shot, or beyond the end date.
  func next(after slot: Instant) -> Instant? {
    guard let next = step.map({ slot.advanced(byMilliseconds: $0) }) else { return nil }
    return definition.endDate.map { next <= $0 } ?? true ? next : nil
  }

  /// The last slot from this one on that is not beyond the end date.
  func last(from slot: Instant) -> Instant? {
    guard let step, let end = definition.endDate, end >= slot else { return nil }
    return slot.advanced(byMilliseconds: (end.milliseconds - slot.milliseconds) / step * step)
  }

  /// Whether a slot that is this many milliseconds late may be left out; its jitter can make it less late than it looks.
  func mayLeaveOut(lateBy lateness: Int64) -> Bool {
    guard lateness >= 60_000 else { return false }
    if definition.misfirePolicy == .skip { return true }
    return catchupMilliseconds.map { lateness > $0 } ?? false
  }

  /// How old a missed slot may be that is sent; nil when there is no bound.
  var catchupMilliseconds: Int64? {
    definition.catchupWindow?.milliseconds ?? (definition.misfirePolicy == .fireAll ? 86_400_000 : nil)
  }

  mutating func processEnded() {
    isSetBackForgotten = mayMove
    if let slot = nextTick?.slot { sent[slot]?.firstUptime = nil }
  }

  /// Whether it was sent before the clock was set back, and comes late.
  func isOfEarlierClock(_ tick: Tick) -> Bool { wasSetBack && sent[tick.slot] == nil }

  /// On a clock that was set far back slots come again that were sent before: only the stored next tick is what it was.
  mutating func clockWasSetBack() {
    guard let slot = nextTick?.slot else { return }
    movesLeft += 1
    (wasSetBack, isSetBackForgotten) = (true, false)
    waitAllowance = SimulationChecker.day
    countedBefore += confirmed.subtracting(givenUp).subtracting([slot]).count
    arrivedBefore += arrived.filter { $0 != slot && confirmed.contains($0) }.count
    givenUpBefore += givenUp.count
    sent = sent.filter { $0.key == slot }
    confirmed.formIntersection([slot])
    arrived.removeAll { $0 != slot }
    givenUp = []
    lastSlotSent = nil
  }

  /// It goes on from an earlier slot. What was confirmed of `lost` the scheduler does not know any more.
  mutating func moveBack(losing lost: Instant?) {
    let counted = confirmed.subtracting([lost].compactMap { $0 })
    arrivedBefore += arrived.filter(counted.contains).count
    countedBefore += counted.subtracting(givenUp).count
    movesLeft -= 1
    (sent, arrived, confirmed, lastSlotSent) = ([:], [], [], nil)
  }

  /// How many slots lie from one to another.
  func count(from first: Instant, to last: Instant) -> Int64? {
    guard let step, (last.milliseconds - first.milliseconds) % step == 0 else { return nil }
    return (last.milliseconds - first.milliseconds) / step
  }
}

extension Schedule.EndReason {
  static func isOwn(_ reason: String) -> Bool { [countLimit, endDate, noMoreSlots].contains(reason) }
}
