import Recurrence

/// The recomputation of stored next slots, nearest first, when what they were computed by has changed: the rules of time
/// zones, those of cron expressions, or the wall clock.
struct SlotReview {
  struct Causes: OptionSet, Sendable {
    let rawValue: Int
    /// Concerns schedules that follow a time zone.
    static let zoneRules = Causes(rawValue: 1)
    /// Concerns those with a cron expression.
    static let expressionRules = Causes(rawValue: 2)
    /// The clock was set far back. Concerns all recurring schedules.
    static let clock = Causes(rawValue: 4)
  }

  enum State {
    case idle
    /// Schedules up to `through` have their new slots; nil at the beginning.
    case running(Causes, through: DuePosition?)
  }

  private(set) var state = State.idle
  /// Schedules outside the window whose new slot is about to be stored, by generation.
  private var moving: [Int64: Schedule] = [:]
  private(set) var movingIDs: Set<ScheduleID> = []
  /// Schedules that a review because of the clock must return to, for a tick of them was in flight, by generation.
  private var revisit: Set<Int64> = []

  /// Why slots are being recomputed; empty while they are not.
  var causes: Causes {
    if case .running(let causes, _) = state { causes } else { [] }
  }

  private var through: DuePosition? {
    if case .running(_, let through) = state { through } else { nil }
  }

  /// Whether new slots of schedules outside the window are about to be stored: then pages of due schedules are out of date.
  var isMoving: Bool { !moving.isEmpty }

  /// Begins a review, from the first schedule on. One that is running keeps its causes.
  mutating func begin(_ causes: Causes) {
    state = .running(self.causes.union(causes), through: nil)
  }

  /// The clock was set back while ticks of these schedules were in flight.
  mutating func beginForClock(revisiting inFlight: Set<Int64>) {
    revisit = inFlight
    begin(.clock)
  }

  /// The next page to read; nil while there is none.
  var nextPage: StoreLane.Work? {
    if case .running(let causes, let through) = state { .review(causes, after: through) } else { nil }
  }

  /// Whether a page that was asked for is still the one to review: it is not when the review has begun again since.
  func isCurrent(_ causes: Causes, after position: DuePosition?) -> Bool {
    if case .running(causes, position) = state { true } else { false }
  }

  /// Whether the slot of a schedule at this position may still be another under the new rules.
  func awaits(_ definition: Definition, at position: DuePosition) -> Bool {
    guard case .running(let causes, let through) = state else { return false }
    guard definition.followsZone || causes.contains(.expressionRules) && definition.isCron else { return false }
    return through.map { position > $0 } ?? true
  }

  /// The new state of a schedule; nil when it stays as it is, or has to be returned to.
  ///
  /// A tick that may have been sent keeps its slot, unless the clock was wrong.
  mutating func recompute(
    _ schedule: Schedule, in zone: ZoneRules, isBusy: Bool, mayHaveBeenSent: Bool, latestWall: Instant, at now: Now
  ) -> Schedule.Progress? {
    guard let next = schedule.nextTick else { return nil }
    guard !isBusy else {
      // A tick beyond now is one of the clock before, whose confirm came just now.
      if causes.contains(.clock), next.slot > latestWall { revisit.insert(schedule.generation) }
      return nil
    }
    if causes.contains(.clock), let progress = schedule.afterClockSetBack(to: latestWall, in: zone) { return progress }
    guard !mayHaveBeenSent else { return nil }
    return causes.contains(.expressionRules)
      ? schedule.underNewExpressionRules(at: now.wall, in: zone) : schedule.underNewRules(at: now.wall, in: zone)
  }

  /// The new slot of a schedule outside the window is about to be stored.
  mutating func move(_ schedule: Schedule) {
    assert(moving[schedule.generation] == nil, "a schedule is moved once at a time")
    moving[schedule.generation] = schedule
    movingIDs.insert(schedule.id)
  }

  /// The new slot of a schedule outside the window is stored. Returns the schedule with it.
  mutating func moved(_ generation: Int64, to progress: Schedule.Progress) -> Schedule? {
    guard var schedule = moving.removeValue(forKey: generation) else { return nil }
    movingIDs.remove(schedule.id)
    schedule.progress = progress
    return schedule
  }

  /// A page was reviewed. Returns the causes once the review is complete.
  mutating func reviewed(through last: DuePosition?, isLast: Bool) -> Causes? {
    guard case .running(let causes, _) = state else { return nil }
    if !isLast, let last {
      assert(through.map { $0 < last } ?? true, "pages follow each other")
      state = .running(causes, through: last)
    } else if moving.isEmpty {
      state = .idle
      return causes
    } else {
      state = .running(causes, through: .last)
    }
    return nil
  }

  /// Nothing of this schedule is in flight any more. What it became, or was left as, may be of the clock before.
  mutating func released(_ generation: Int64) {
    if !revisit.isEmpty, revisit.remove(generation) != nil { begin(.clock) }
  }
}

extension DuePosition {
  /// Behind every schedule.
  fileprivate static var last: DuePosition { DuePosition(due: Instant(milliseconds: .max), generation: .max) }
}
