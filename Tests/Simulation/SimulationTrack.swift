import Recurrence
import Scheduling

/// What the checker knows of one schedule, by its generation: what was stored, sent, seen and confirmed.
struct SimulationTrack {
  struct SentTick {
    var tick: Tick
    /// When it was last sent, on the monotonic clock.
    var uptime: Int64
    /// What happened since that allows it to be sent again.
    var excuse: RareState?
  }

  let definition: Definition
  /// The label of the message that started it.
  let label: Int
  var state: Schedule.State
  var counter: Int64 = 0
  var isReplaced = false
  var sent: [Instant: SentTick] = [:]
  var lastSlotSent: Instant?
  /// The slots of which a tick arrived, in the order of their first arrivals.
  var arrived: [Instant] = []
  var confirmed: Set<Instant> = []
  var givenUp: Set<Instant> = []
  var isStoppedSent = false
  var hasStoppedArrived = false
  var isStoppedConfirmed = false
  var isAnnounced = false

  init(_ schedule: Schedule) {
    definition = schedule.definition
    label = schedule.origin.label
    state = schedule.state
  }

  var pending: Schedule.Pending? { if case .live(let pending) = state { pending } else { nil } }
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

  /// The slot after one; nil for a one-shot.
  func next(after slot: Instant) -> Instant? { step.map { slot.advanced(byMilliseconds: $0) } }

  /// How many slots lie from one to another.
  func count(from first: Instant, to last: Instant) -> Int64? {
    guard let step, (last.milliseconds - first.milliseconds) % step == 0 else { return nil }
    return (last.milliseconds - first.milliseconds) / step
  }
}

extension Schedule.EndReason {
  static func isOwn(_ reason: String) -> Bool { [countLimit, endDate, noMoreSlots].contains(reason) }
}
