/// The schedules that cannot be decided on now, because a tick, an owed event or a new slot of them is in flight or
/// about to be stored.
///
/// Computed when there are commands or a page to review rather than kept up to date: a burst of ticks does not pay for
/// it.
struct Busy {
  private let inFlight: Set<ScheduleID>
  private let notified: Set<ScheduleID>
  private let moving: Set<ScheduleID>

  init(_ window: DueWindow, _ notices: OwedEvents, _ review: SlotReview) {
    inFlight = window.outstandingIDs
    notified = notices.ids
    moving = review.movingIDs
  }

  /// Without those that owe an event.
  init(_ window: DueWindow, _ review: SlotReview) { self.init(window, OwedEvents(), review) }

  func contains(_ id: ScheduleID) -> Bool { inFlight.contains(id) || notified.contains(id) || moving.contains(id) }
}
