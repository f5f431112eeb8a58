import Recurrence

/// The recomputation of stored next slots, nearest first, after a change of time zone rules, of cron expression rules,
/// or of the wall clock.
struct SlotReview {
  struct Causes: OptionSet, Sendable {
    let rawValue: Int
    /// Concerns schedules that follow a time zone.
    static let zoneRules = Causes(rawValue: 1)
    /// Concerns schedules with a cron expression.
    static let expressionRules = Causes(rawValue: 2)
    /// The clock was set far back. Concerns all recurring schedules.
    static let clock = Causes(rawValue: 4)
  }

  enum State {
    /// Becomes running.
    case idle
    /// Schedules up to `through` are reviewed; nil at the beginning. Becomes idle, or starts again on another cause.
    case running(Causes, through: DuePosition?)
  }

  private(set) var state = State.idle
  /// Schedules outside the window whose new slot is about to be stored, by generation.
  private var moving: [Int64: Schedule] = [:]
  private(set) var movingIDs: Set<ScheduleID> = []
  /// The schedules, by generation, whose tick was not resolved when their slot was to be recomputed after a clock change.
  private var revisit: Set<Int64> = []

  /// Why slots are being recomputed; empty while they are not.
  var causes: Causes {
    if case .running(let causes, _) = state { causes } else { [] }
  }

  private var through: DuePosition? {
    if case .running(_, let through) = state { through } else { nil }
  }

  /// Whether new slots of schedules outside the window are about to be stored: pages of due schedules read meanwhile
  /// are out of date.
  var isMoving: Bool { !moving.isEmpty }

  /// Begins a review from the first schedule. A running review starts again, and keeps its causes.
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

  /// Whether a page that was requested is still the next one to review. It is not if the review has started again
  /// since.
  func isCurrent(_ causes: Causes, after position: DuePosition?) -> Bool {
    if case .running(causes, position) = state { true } else { false }
  }

  /// Whether new rules may still move the slot of a schedule at this position.
  func awaits(_ definition: Definition, at position: DuePosition) -> Bool {
    guard case .running(let causes, let through) = state else { return false }
    guard definition.followsZone || causes.contains(.expressionRules) && definition.isCron else { return false }
    return through.map { position > $0 } ?? true
  }

  /// Whether the pages to come will not show a schedule at this position.
  func hasPassed(_ position: DuePosition) -> Bool {
    guard case .running(_, let through?) = state else { return false }
    return position <= through
  }

  /// The new progress of a schedule; nil if it is unchanged, or has to be revisited.
  ///
  /// A tick that may have been sent keeps its slot, unless the clock was wrong.
  mutating func recompute(
    _ schedule: Schedule, in zone: ZoneRules, isBusy: Bool, mayHaveBeenSent: Bool, latestWall: Instant, at now: Now
  ) -> Schedule.Progress? {
    guard let next = schedule.nextTick else { return nil }
    guard !isBusy else {
      // A tick beyond now was computed by the wrong clock; its confirm has just arrived.
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
    assert(moving.count == movingIDs.count, "an id has one live schedule")
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

  /// What the clock change means for this schedule is seen only when its tick is resolved.
  mutating func mustRevisit(_ generation: Int64) { revisit.insert(generation) }

  /// This schedule has no tick in flight any more. If the wrong clock may have computed its slot, the review starts
  /// again.
  mutating func released(_ generation: Int64) {
    if !revisit.isEmpty, revisit.remove(generation) != nil { begin(.clock) }
  }
}
