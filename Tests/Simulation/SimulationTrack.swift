import Recurrence
import Scheduling

/// What the checker knows about one generation of a schedule: what was stored, sent, routed and confirmed.
struct SimulationTrack {
  struct SentTick {
    var tick: Tick
    /// Its last number, and when it was last sent on the monotonic clock.
    var number: UInt64
    var uptime: Int64
    /// When this process sent it first; nil if it has not.
    var firstUptime: Int64?
    /// Why it may be sent again.
    var excuse: RareState?
    /// Whether the connection on which it was sent has ended, or a pause has ended its retries: a later Update may then
    /// change what is sent again.
    var isDetached = false
    /// When the broker nacked it before its timeout, on the same connection.
    var refusals: [Int64] = []

    /// How long it backs off after this many nacks: 1 s, 2 s, 4 s … 60 s.
    var pauseMilliseconds: Int64 { min(1000 << min(Int64(refusals.count) - 1, 6), 60_000) }
  }

  /// As of its Start.
  let declared: Definition
  var definition: Definition
  /// The label of the message that started it, and the login of its sender.
  let label: Int
  let owner: String?
  var state: Schedule.State
  var counter: Int64 = 0
  /// As it is stored.
  var control: Schedule.Control
  /// What control commands did, to be compared with their outcomes.
  var controlled = ControlHistory()
  /// The entry of the history at which it ended.
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
  /// How far ahead of the wall clock its slot may be, in addition to its interval: slots are not recomputed after
  /// smaller steps back.
  var waitAllowance = SimulationChecker.day
  /// Whether the process that detected that has ended: the next one knows only from the in-doubt mark.
  var isSetBackForgotten = false
  /// What was confirmed, arrived and expired before that.
  var countedBefore = 0, arrivedBefore = 0, givenUpBefore = 0
  var isStoppedSent = false
  var hasStoppedArrived = false
  var isStoppedConfirmed = false
  var isAnnounced = false

  init(_ schedule: Schedule) {
    declared = schedule.definition
    definition = schedule.definition
    label = schedule.origin.label
    owner = schedule.origin.userID
    state = schedule.state
    control = schedule.control
  }

  var nextTick: Schedule.NextTick? { if case .live(let nextTick) = state { nextTick } else { nil } }
  var ending: Schedule.Ending? { if case .ended(let ending) = state { ending } else { nil } }

  /// The number of ticks after which it ends automatically; nil without a limit.
  var limit: Int64? {
    guard let limit = definition.limit, limit > 0, !definition.timing.isOneShot else { return nil }
    return limit
  }

  /// The interval of its slots in milliseconds; nil for a one-shot.
  var step: Int64? { definition.timing.step }

  var mayMove: Bool { movesLeft > 0 }

  /// The slot after one; nil for a one-shot, or beyond the end date. After an Update, `slot` may be one of the former
  /// definition.
  func next(after slot: Instant) -> Instant? {
    guard let step else { return nil }
    let next =
      if case .cron = definition.timing {
        Instant(milliseconds: (slot.milliseconds / step + 1) * step)
      } else {
        slot.advanced(byMilliseconds: step)
      }
    return definition.endDate.map { next <= $0 } ?? true ? next : nil
  }

  /// The last slot from this one on that is not after the end date.
  func last(from slot: Instant) -> Instant? {
    guard let step, let end = definition.endDate, end >= slot else { return nil }
    return slot.advanced(byMilliseconds: (end.milliseconds - slot.milliseconds) / step * step)
  }

  /// Whether a slot that is this many milliseconds late may be skipped; because of its jitter it may be less late.
  func mayLeaveOut(lateBy lateness: Int64) -> Bool {
    guard lateness >= 60_000 else { return false }
    if definition.misfirePolicy == .skip { return true }
    return catchupMilliseconds.map { lateness > $0 } ?? false
  }

  /// How old a missed slot may be and still be sent; nil without a limit.
  var catchupMilliseconds: Int64? {
    definition.catchupWindow?.milliseconds ?? (definition.misfirePolicy == .fireAll ? 86_400_000 : nil)
  }

  mutating func processEnded() {
    controlled.processEnded()
    isSetBackForgotten = mayMove
    if let slot = nextTick?.slot { sent[slot]?.firstUptime = nil }
  }

  /// Whether it was sent before the clock was set back, and arrives late.
  func isOfEarlierClock(_ tick: Tick) -> Bool { wasSetBack && sent[tick.slot] == nil }

  /// On a clock that was set far back, slots that were sent before occur again: only the stored next tick is unchanged.
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

  /// It continues from an earlier slot. The scheduler no longer knows which ticks of `lost` were confirmed.
  mutating func moveBack(losing lost: Instant?) {
    let counted = confirmed.subtracting([lost].compactMap { $0 })
    arrivedBefore += arrived.filter(counted.contains).count
    countedBefore += counted.subtracting(givenUp).count
    movesLeft -= 1
    (sent, arrived, confirmed, lastSlotSent) = ([:], [], [], nil)
  }

  /// The number of slots from one to another.
  func count(from first: Instant, to last: Instant) -> Int64? {
    guard let step, (last.milliseconds - first.milliseconds) % step == 0 else { return nil }
    return (last.milliseconds - first.milliseconds) / step
  }
}

extension Timing {
  /// The interval of its slots in milliseconds, without the code under test; nil for a one-shot.
  var step: Int64? {
    switch self {
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
}

extension Schedule.EndReason {
  static func isOwn(_ reason: String) -> Bool {
    [countLimit, endDate, noMoreSlots, skippedWhilePaused].contains(reason)
  }
}
