import Recurrence

/// New rules of time zones: the next slots of the schedules that follow them are looked for anew, nearest first.
extension Engine {
  /// How far a review has come.
  struct ZoneReview: Sendable {
    /// Schedules up to here have slots under the rules of now; nil at the beginning.
    var reviewedThrough: DuePosition?
    /// Those outside the window whose new slot is about to be stored, by generation.
    var moving: [Int64: Schedule] = [:]
    var movingIDs: Set<ScheduleID> = []

    func hasReviewed(_ position: DuePosition) -> Bool {
      reviewedThrough.map { position <= $0 } ?? false
    }
  }

  mutating func beginZoneReview() {
    zoneReview = zoneReview ?? ZoneReview()
    zoneReview?.reviewedThrough = nil
  }

  /// Whether a schedule must not be touched for now: a tick, a Stopped or a new slot of it is under way.
  var isBusy: (ScheduleID) -> Bool {
    { [window, owingIDs, zoneReview] id in
      window.isUnsettled(id) || owingIDs.contains(id) || zoneReview?.movingIDs.contains(id) == true
    }
  }

  /// Whether a tick has to wait because its slot may be another under the new rules.
  func awaitsReview(_ row: DueWindow.Row, at position: DuePosition) -> Bool {
    guard let zoneReview, row.schedule.definition.followsZone, !row.mayHaveBeenSent else { return false }
    return !zoneReview.hasReviewed(position)
  }

  /// The next page to review. Read only when nothing waits to be stored, so that what is read is what holds.
  func reviewWork() -> StoreWork? {
    guard let zoneReview, pendingChanges.isEmpty else { return nil }
    return .reviewZones(after: zoneReview.reviewedThrough)
  }

  mutating func review(_ schedules: [Schedule], at now: Now) {
    for schedule in schedules { review(schedule, at: now) }
    if schedules.count == settings.duePage, let last = schedules.last?.position {
      zoneReview?.reviewedThrough = last
    } else if zoneReview?.moving.isEmpty == true {
      zoneReview = nil
    } else {
      zoneReview?.reviewedThrough = DuePosition(due: Instant(milliseconds: .max), generation: .max)
    }
  }

  private mutating func review(_ schedule: Schedule, at now: Now) {
    guard let pending = schedule.pending, !isBusy(schedule.id), !mayHaveBeenSent(schedule) else { return }
    guard let zone = rules(of: schedule.definition), let progress = schedule.underNewRules(at: now.wall, in: zone)
    else {
      return
    }
    var slot: Instant?
    if case .live(let anew) = progress.state { slot = anew.slot }
    reports.append(.slotMoved(schedule.id, from: pending.slot, to: slot))
    if window[schedule.generation] == nil {
      zoneReview?.moving[schedule.generation] = schedule
      zoneReview?.movingIDs.insert(schedule.id)
    }
    settle(schedule, progress)
  }

  /// What a schedule becomes after its tick, if its zone got new rules while the tick was in flight.
  func underRulesOfNow(_ progress: Schedule.Progress, of schedule: Schedule, at now: Now) -> Schedule.Progress {
    guard schedule.definition.followsZone, let pending = schedule.pending, let zone = rules(of: schedule.definition)
    else {
      return progress
    }
    return schedule.afterTick(of: pending, at: now.wall, in: zone)
  }

  /// A tick that may have been sent keeps its slot.
  private func mayHaveBeenSent(_ schedule: Schedule) -> Bool {
    guard let row = window[schedule.generation] else {
      return schedule.pending.map { $0.due <= recoveredInDoubtThrough } ?? false
    }
    if case .retrying = row.phase { return true }
    return row.mayHaveBeenSent
  }

  /// The new slot of a schedule outside the window is stored: it may have come within the window.
  mutating func reviewApplied(_ generation: Int64, _ state: Schedule.State) -> Schedule? {
    guard var schedule = zoneReview?.moving.removeValue(forKey: generation) else { return nil }
    zoneReview?.movingIDs.remove(schedule.id)
    schedule.state = state
    window.started(schedule)
    return schedule
  }
}
