import Recurrence
import Simulation
import Testing

@testable import Scheduling

/// The recomputation of slots, as a value.
struct SlotReviewTests {
  private var review = SlotReview()

  private func schedule(_ generation: Int64, slot: Int64 = 3600, timezone: String? = "Europe/Rome") throws -> Schedule {
    var definition = Definition(id: ScheduleID("s\(generation)"), timing: try Timing(cron: "0 * * * *"))
    definition.timezone = timezone
    return Schedule(
      definition: definition, origin: Origin(), key: Schedule.Key(generation: generation, beginningAt: .second(slot)),
      progress: Schedule.Progress(state: .live(Schedule.NextTick(slot: .second(slot), due: .second(slot)))))
  }

  private func position(_ second: Int64, _ generation: Int64 = 1) -> DuePosition {
    DuePosition(on: .bus, due: .second(second), generation: generation)
  }

  @Test mutating func isIdleUntilItBegins() throws {
    #expect(review.causes.isEmpty && review.nextPage == nil)
    #expect(!review.awaits(try schedule(1).definition, at: position(0)))
  }

  @Test mutating func readsPageAfterPage() throws {
    review.begin(.zoneRules)
    #expect(review.isCurrent(.zoneRules, after: nil))
    #expect(review.reviewed(through: position(10), isLast: false) == nil)
    #expect(!review.isCurrent(.zoneRules, after: nil))
    #expect(review.isCurrent(.zoneRules, after: position(10)))
    #expect(review.reviewed(through: position(20), isLast: true) == .zoneRules)
    #expect(review.nextPage == nil)
  }

  @Test mutating func beginsAgainWithAllItsCauses() {
    review.begin(.zoneRules)
    _ = review.reviewed(through: position(10), isLast: false)
    review.begin(.clock)
    #expect(review.isCurrent([.zoneRules, .clock], after: nil), "from the first schedule on")
    #expect(!review.isCurrent(.zoneRules, after: position(10)), "a page of the review before is of no use")
  }

  @Test("a tick waits while its slot may be another: those of zones, and with new expression rules those of cron")
  mutating func awaits() throws {
    let inZone = try schedule(1).definition
    let inUTC = try schedule(2, timezone: nil).definition
    var every = inUTC
    every.timing = try Timing(every: "1h")
    review.begin(.zoneRules)
    #expect(review.awaits(inZone, at: position(10)) && !review.awaits(inUTC, at: position(10)))
    _ = review.reviewed(through: position(10), isLast: false)
    #expect(!review.awaits(inZone, at: position(10)) && review.awaits(inZone, at: position(10, 2)))
    review.begin(.expressionRules)
    #expect(review.awaits(inUTC, at: position(10)) && !review.awaits(every, at: position(10)))
  }

  @Test mutating func completesOnceWhatMovesIsStored() throws {
    review.begin(.zoneRules)
    let moved = try schedule(1)
    review.move(moved)
    #expect(review.isMoving && review.movingIDs == [moved.id])
    #expect(review.reviewed(through: nil, isLast: true) == nil, "one is about to be stored")
    let progress = Schedule.Progress(state: .live(Schedule.NextTick(slot: .second(7200), due: .second(7200))))
    #expect(review.moved(1, to: progress)?.nextTick?.slot == .second(7200))
    #expect(review.moved(1, to: progress) == nil)
    #expect(!review.isMoving && review.movingIDs.isEmpty)
    #expect(review.reviewed(through: nil, isLast: true) == .zoneRules)
  }

  @Test("after the clock was set back a schedule whose tick was in flight is returned to once that is over")
  mutating func revisits() throws {
    review.beginForClock(revisiting: [1])
    #expect(review.reviewed(through: nil, isLast: true) == .clock)
    review.released(2)
    #expect(review.causes.isEmpty, "another schedule")
    review.released(1)
    #expect(review.causes == .clock)
    #expect(review.reviewed(through: nil, isLast: true) == .clock)
    review.released(1)
    #expect(review.causes.isEmpty, "once")
  }

  @Test("a tick that may have been sent keeps its slot, unless the clock was wrong")
  mutating func keepsWhatMayHaveBeenSent() throws {
    var definition = try schedule(1).definition
    definition.timing = try Timing(every: "1h")
    var found = try schedule(1, slot: 40 * 86_400)
    found.definition = definition
    func recompute(isBusy: Bool = false, mayHaveBeenSent: Bool) -> Schedule.Progress? {
      review.recompute(
        found, in: .utc, isBusy: isBusy, mayHaveBeenSent: mayHaveBeenSent, latestWall: .second(0), at: .second(0))
    }
    review.begin(.zoneRules)
    #expect(recompute(mayHaveBeenSent: true) == nil)
    review.begin(.clock)
    #expect(recompute(isBusy: true, mayHaveBeenSent: true) == nil)
    let progress = recompute(mayHaveBeenSent: true)
    let slot = try #require(progress?.state.nextTick?.slot)
    #expect(slot > .second(0) && slot <= .second(3600), "within the first hour on this clock")
    _ = review.reviewed(through: nil, isLast: true)
    review.released(1)
    #expect(review.causes == .clock, "the busy one is returned to")
  }
}
