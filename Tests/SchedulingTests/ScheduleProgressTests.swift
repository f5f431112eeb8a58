import Recurrence
import Testing

@testable import Scheduling

/// What becomes of a schedule after a tick, after one that was given up, and after missed slots.
struct ScheduleProgressTests {
  struct Case: CustomTestStringConvertible, Sendable {
    /// A cron expression, or nil for a one-shot.
    var cron: String? = "* * * * * *"
    var limit: Int64?
    var end: Int64?
    var counter: Int64 = 0
    /// The reason for which it ends after the tick of noon; "" is an end without a word, nil goes on.
    var reason: String?

    var testDescription: String { "\(cron ?? "at") limit \(limit as Any) end \(end as Any) counter \(counter)" }

    func schedule() throws -> Schedule {
      let timing = try cron.map { try Timing(cron: $0) } ?? .at(.noon)
      let definition = Definition(id: "a", timing: timing, limit: limit, endDate: end.map { .second($0) })
      return .live(definition, counter: counter, slot: .noon)
    }
  }

  static let cases: [Case] = [
    Case(reason: nil),
    Case(limit: 0, counter: 1_000_000, reason: nil),
    Case(limit: 2, reason: nil),
    Case(limit: 2, counter: 1, reason: Schedule.EndReason.countLimit),
    Case(limit: 1, reason: Schedule.EndReason.countLimit),
    Case(limit: 2, counter: 5, reason: Schedule.EndReason.countLimit),
    Case(end: 1, reason: nil),
    Case(end: 0, reason: Schedule.EndReason.endDate),
    // The limit is told also when the end date, or the last slot of all, falls together with it.
    Case(limit: 1, end: 0, reason: Schedule.EndReason.countLimit),
    Case(cron: "0 0 12 23 11 * 2026", reason: Schedule.EndReason.noMoreSlots),
    Case(cron: "0 0 12 23 11 * 2026", end: 0, reason: Schedule.EndReason.noMoreSlots),
    Case(cron: "0 0 12 23 11 * 2026", limit: 1, reason: Schedule.EndReason.countLimit),
    Case(cron: nil, reason: ""),
    Case(cron: nil, limit: 1, reason: ""),
  ]

  @Test(arguments: cases)
  func afterATick(_ row: Case) throws {
    let schedule = try row.schedule()
    let pending = try #require(schedule.pending)
    let progress = schedule.afterTick(of: pending, at: .second(7), in: .utc)
    #expect(progress.counter == row.counter + 1)
    if let reason = row.reason {
      let told = reason.isEmpty ? nil : reason
      #expect(progress.state == .ended(Schedule.Ending(reason: told, at: .second(7), owesStopped: told != nil)))
    } else {
      #expect(progress.state == .live(Schedule.Pending(slot: .second(1), due: .second(1))))
    }
  }

  /// A tick that was given up is not counted; it ends nothing but what has no slot left.
  @Test(arguments: cases)
  func afterGivingUp(_ row: Case) throws {
    let schedule = try row.schedule()
    let progress = schedule.afterGivingUp(try #require(schedule.pending), at: .second(7), in: .utc)
    #expect(progress.counter == row.counter)
    let endsByLimit = row.reason == Schedule.EndReason.countLimit && row.end == nil && row.cron == "* * * * * *"
    if endsByLimit { #expect(progress.state == .live(Schedule.Pending(slot: .second(1), due: .second(1)))) }
    if row.reason == nil || endsByLimit {
      #expect(progress.state == .live(Schedule.Pending(slot: .second(1), due: .second(1))))
    } else if case .ended(let ending) = progress.state {
      #expect(ending.reason != Schedule.EndReason.countLimit)
    } else {
      Issue.record("it goes on")
    }
  }

  // MARK: Folding

  private static let threshold: Int64 = 60_000

  private func folded(
    _ timing: Timing, jitter: DurationExpression? = nil, end: Instant? = nil, missed: Int = 0, now: Instant
  ) throws -> Schedule.Pending? {
    let definition = Definition(id: "a", timing: timing, endDate: end, jitter: jitter)
    let pending = Schedule.Pending(slot: .noon, due: definition.due(of: .noon, in: .utc), missed: missed)
    let schedule = Schedule(definition: definition, origin: Origin(), generation: 1, state: .live(pending))
    return schedule.folded(pending, at: now, threshold: Self.threshold, in: .utc)
  }

  private func pending(_ second: Int64, missed: Int) -> Schedule.Pending {
    Schedule.Pending(slot: .second(second), due: .second(second), missed: missed)
  }

  @Test func foldsFromTheThresholdOn() throws {
    let everySecond = try Timing(cron: "* * * * * *")
    #expect(try folded(everySecond, now: .millisecond(59_999)) == nil)
    #expect(try folded(everySecond, now: .second(60)) == pending(60, missed: 60))
    #expect(try folded(everySecond, now: .millisecond(60_999)) == pending(60, missed: 60))
    #expect(try folded(Timing(every: "7s"), now: .second(60)) == pending(56, missed: 8))
  }

  /// A slot that is late but the only one due is sent as it is.
  @Test func aSingleSlotIsNotFolded() throws {
    #expect(try folded(Timing(cron: "0 * * * *"), now: .second(3599)) == nil)
    #expect(try folded(Timing(cron: "* * * * * *"), end: .noon, now: .second(600)) == nil)
    #expect(try folded(Timing(cron: "0 * * * *"), now: .second(3600)) == pending(3600, missed: 1))
  }

  @Test func neverPastTheEndDate() throws {
    #expect(try folded(Timing(cron: "* * * * * *"), end: .second(10), now: .second(600)) == pending(10, missed: 10))
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
      #expect(result == pending(seconds, missed: missed))
    }
  }

  @Test func millionsAreNotCountedOneByOne() throws {
    let result = try folded(Timing(cron: "* * * * * *"), now: .second(100_000_000))
    #expect(result == pending(100_000_000, missed: Schedule.Pending.maximumMissed))
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
}
