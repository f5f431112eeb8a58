/// The schedules on which nothing may be decided now, since a tick, a Stopped or a new slot of them is in flight or about to
/// be stored.
///
/// Put together when commands or a page to review are there, and not kept up to date: a burst of ticks has none to check.
struct Busy {
  private let inFlight: Set<ScheduleID>
  private let notified: Set<ScheduleID>
  private let moving: Set<ScheduleID>

  init(_ window: DueWindow, _ notices: EndNotices, _ review: SlotReview) {
    inFlight = window.outstandingIDs
    notified = notices.ids
    moving = review.movingIDs
  }

  func contains(_ id: ScheduleID) -> Bool { inFlight.contains(id) || notified.contains(id) || moving.contains(id) }
}
