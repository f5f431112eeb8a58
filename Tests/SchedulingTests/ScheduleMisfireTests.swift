import Recurrence
import SchedulingTestKit
import Simulation
import Testing

@testable import Scheduling

/// What the misfire policies make of slots that were missed.
struct ScheduleMisfireTests {
  private static let threshold: Int64 = 60_000

  private func folded(
    _ timing: Timing, jitter: DurationExpression? = nil, end: Instant? = nil, missed: Int = 0, now: Instant
  ) throws -> Schedule.NextTick? {
    let definition = Definition(id: "a", timing: timing, endDate: end, jitter: jitter)
    let nextTick = Schedule.NextTick(slot: .noon, due: definition.due(of: .noon, in: .utc), missed: missed)
    let schedule = Schedule(definition: definition, origin: Origin(), generation: 1, state: .live(nextTick))
    guard case .folded(let folded)? = schedule.misfire(nextTick, at: now, threshold: Self.threshold, in: .utc) else {
      return nil
    }
    return folded
  }

  private func nextTick(_ second: Int64, missed: Int) -> Schedule.NextTick {
    Schedule.NextTick(slot: .second(second), due: .second(second), missed: missed)
  }

  @Test func foldsFromTheThresholdOn() throws {
    let everySecond = try Timing(cron: "* * * * * *")
    #expect(try folded(everySecond, now: .millisecond(59_999)) == nil)
    #expect(try folded(everySecond, now: .second(60)) == nextTick(60, missed: 60))
    #expect(try folded(everySecond, now: .millisecond(60_999)) == nextTick(60, missed: 60))
    #expect(try folded(Timing(every: "7s"), now: .second(60)) == nextTick(56, missed: 8))
  }

  /// A slot that is late but the only one due is sent as it is.
  @Test func aSingleSlotIsNotFolded() throws {
    #expect(try folded(Timing(cron: "0 * * * *"), now: .second(3599)) == nil)
    #expect(try folded(Timing(cron: "* * * * * *"), end: .noon, now: .second(600)) == nil)
    #expect(try folded(Timing(cron: "0 * * * *"), now: .second(3600)) == nextTick(3600, missed: 1))
  }

  @Test func neverPastTheEndDate() throws {
    #expect(try folded(Timing(cron: "* * * * * *"), end: .second(10), now: .second(600)) == nextTick(10, missed: 10))
  }

  @Test func oneShotsAreNeverFolded() throws {
    #expect(try folded(.at(.noon), now: .second(1_000_000)) == nil)
    #expect(try folded(Timing(duration: "1s"), now: .second(1_000_000)) == nil)
  }

  /// Exact up to 1,000, and it stays there; what was folded before counts too.
  @Test(arguments: [
    (0, 1000, 1000), (0, 1001, 1000), (0, 999, 999), (5, 100, 105), (950, 100, 1000), (1000, 100, 1000),
  ])
  func missedIsBounded(before: Int, seconds: Int64, missed: Int) throws {
    for timing in [try Timing(cron: "* * * * * *"), try Timing(every: "1s")] {
      let result = try folded(timing, missed: before, now: .second(seconds))
      #expect(result == nextTick(seconds, missed: missed))
    }
  }

  @Test func millionsAreNotCountedOneByOne() throws {
    let result = try folded(Timing(cron: "* * * * * *"), now: .second(100_000_000))
    #expect(result == nextTick(100_000_000, missed: Schedule.NextTick.maximumMissed))
  }

  /// With jitter only slots whose jittered time has come are folded, and the threshold counts from it.
  @Test func jitterPostponesTheFolding() throws {
    let jitter = try DurationExpression("10s")
    let timing = try Timing(every: "10s")
    let definition = Definition(id: "a", timing: timing, jitter: jitter)
    let due = definition.due(of: .noon, in: .utc)
    #expect(try folded(timing, jitter: jitter, now: due.advanced(byMilliseconds: 59_999)) == nil)
    for milliseconds in stride(from: Int64(60_000), to: 200_000, by: 777) {
      let now = due.advanced(byMilliseconds: milliseconds)
      let slots = (0...30).map { Instant.second($0 * 10) }
      let latest = try #require(slots.last { definition.due(of: $0, in: .utc) <= now })
      let result = try #require(try folded(timing, jitter: jitter, now: now))
      #expect(result.slot == latest)
      #expect(result.due == definition.due(of: latest, in: .utc))
      #expect(result.missed == slots.firstIndex(of: latest))
    }
  }

  // MARK: Policies

  /// A second-by-second schedule whose oldest unsent slot is noon, this many seconds later.
  private func misfire(
    _ policy: MisfirePolicy?, window: String? = nil, end: Instant? = nil, after seconds: Int64
  ) throws -> Schedule.Misfire? {
    let definition = try Definition(
      id: "a", timing: Timing(cron: "* * * * * *"), endDate: end, misfirePolicy: policy,
      catchupWindow: window.map { try DurationExpression($0) })
    let nextTick = Schedule.NextTick(slot: .noon, due: .noon)
    let schedule = Schedule(definition: definition, origin: Origin(), generation: 1, counter: 3, state: .live(nextTick))
    return schedule.misfire(nextTick, at: .second(seconds), threshold: Self.threshold, in: .utc)
  }

  private func skipped(_ state: Schedule.State, _ count: Int) -> Schedule.Misfire {
    .skipped(.init(state: state, counter: 3), count: count)
  }

  private func skipped(to second: Int64, _ count: Int) -> Schedule.Misfire {
    skipped(.live(nextTick(second, missed: 0)), count)
  }

  /// Dropped is what is at least the threshold late; what is less late is sent.
  @Test func skipDropsWhatIsLate() throws {
    #expect(try misfire(.skip, after: 59) == nil)
    #expect(try misfire(.skip, after: 60) == skipped(to: 1, 1))
    #expect(try misfire(.skip, after: 600) == skipped(to: 541, 541))
    #expect(try misfire(.skip, after: 100_000) == skipped(to: 99_941, 1000))
    #expect(try misfire(.skip, window: "1s", after: 600) == skipped(to: 541, 541))
  }

  @Test func fireAllSendsEachOfADay() throws {
    #expect(try misfire(.fireAll, after: 86_400) == nil)
    #expect(try misfire(.fireAll, after: 86_401) == skipped(to: 1, 1))
    #expect(try misfire(.fireAll, window: "10m", after: 600) == nil)
    #expect(try misfire(.fireAll, window: "10m", after: 605) == skipped(to: 5, 5))
    #expect(try misfire(.fireAll, window: "2 days", after: 86_401) == nil)
    // Only what is missed can be too old.
    #expect(try misfire(.fireAll, window: "1s", after: 59) == nil)
    #expect(try misfire(.fireAll, window: "1s", after: 60) == skipped(to: 1, 1))
  }

  /// With `fireOnce` the latest slot counts: if that one is too old, nothing is sent for any.
  @Test func fireOnceLooksAtTheLatest() throws {
    #expect(try misfire(.fireOnce, window: "10m", after: 6000) == .folded(nextTick(6000, missed: 1000)))
    #expect(try misfire(nil, window: "10m", end: .second(100), after: 700) == .folded(nextTick(100, missed: 100)))
    let ending = Schedule.Ending(
      reason: Schedule.EndReason.endDate, at: .second(701), owesStopped: true, kind: .finished)
    let ended = skipped(.ended(ending), 101)
    #expect(try misfire(nil, window: "10m", end: .second(100), after: 701) == ended)
  }

  /// When all that is left is dropped, the schedule ends, and says so.
  @Test func skippingToTheEnd() throws {
    let ending = Schedule.Ending(
      reason: Schedule.EndReason.endDate, at: .second(900), owesStopped: true, kind: .finished)
    #expect(
      try misfire(.skip, end: .second(100), after: 900)
        == skipped(.ended(ending), 101))
  }

  /// Against slots counted one by one.
  @Test(arguments: 0..<40 as Range<UInt64>)
  func agreesWithCounting(seed: UInt64) throws {
    var random = SeededGenerator(seed: seed)
    for _ in 0..<25 {
      let case_ = try MissedCase(using: &random)
      #expect(case_.result == case_.expected, "seed \(seed): \(case_)")
    }
  }
}

/// A random schedule that is behind, and what each rule of the contract says about it, slot by slot.
private struct MissedCase {
  let schedule: Schedule
  let now: Instant

  init(using random: inout SeededGenerator) throws {
    let timing: Timing =
      switch Int.random(in: 0..<3, using: &random) {
      case 0: try Timing(cron: "*/20 * * * * *")
      case 1: try Timing(every: "7s")
      default: try Timing(cron: "0 * * * * *")
      }
    let window = try random.pick([nil, "1s", "61s", "5m"])?.map { try DurationExpression($0) }
    let definition = Definition(
      id: "a", timing: timing, endDate: random.oneIn(3) ? .second(.random(in: 0...400, using: &random)) : nil,
      jitter: random.oneIn(2) ? try DurationExpression("9s") : nil,
      misfirePolicy: random.pick([nil, .fireOnce, .fireAll, .skip]) ?? nil, catchupWindow: window)
    let missed = random.oneIn(4) ? Int.random(in: 1...1000, using: &random) : 0
    let nextTick = Schedule.NextTick(slot: .noon, due: definition.due(of: .noon, in: .utc), missed: missed)
    schedule = Schedule(definition: definition, origin: Origin(), generation: 1, state: .live(nextTick))
    now = .millisecond(.random(in: 0...600_000, using: &random))
  }

  var result: Schedule.Misfire? {
    schedule.nextTick.flatMap { schedule.misfire($0, at: now, threshold: 60_000, in: .utc) }
  }

  private func lateness(_ slot: Instant) -> Int64 {
    now.milliseconds - schedule.definition.due(of: slot, in: .utc).milliseconds
  }

  /// The slots due by now, from the next one on.
  private var run: [Instant] {
    var slots: [Instant] = []
    var next: Instant? = .noon
    while let slot = next, lateness(slot) >= 0 {
      slots.append(slot)
      next = schedule.definition.nextSlot(after: slot, in: .utc)
    }
    return slots
  }

  var expected: Schedule.Misfire? {
    guard let first = run.first, let latest = run.last, lateness(first) >= 60_000 else { return nil }
    let window = schedule.definition.catchupMilliseconds ?? .max
    let isDropped: (Instant) -> Bool = { lateness($0) >= 60_000 && lateness($0) > window }
    let dropped: ArraySlice<Instant>
    switch schedule.definition.misfirePolicy ?? .fireOnce {
    case .fireOnce:
      guard isDropped(latest) else {
        return run.count == 1 ? nil : .folded(nextTick(latest, missed: known + run.count - 1))
      }
      dropped = run[...]
    case .fireAll: dropped = run.prefix(while: isDropped)
    case .skip: dropped = run.prefix { lateness($0) >= 60_000 }
    }
    guard let last = dropped.last else { return nil }
    return .skipped(
      schedule.afterExpiry(of: nextTick(last, missed: 0), at: now, in: .utc), count: min(known + dropped.count, 1000))
  }

  private var known: Int { schedule.nextTick?.missed ?? 0 }

  private func nextTick(_ slot: Instant, missed: Int) -> Schedule.NextTick {
    Schedule.NextTick(slot: slot, due: schedule.definition.due(of: slot, in: .utc), missed: min(missed, 1000))
  }
}
