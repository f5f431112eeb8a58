import Recurrence
import Simulation
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
    // The reason is the limit even if the end date, or the last slot of all, coincides with it.
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
    let nextTick = try #require(schedule.nextTick)
    let progress = schedule.afterTick(of: nextTick, at: .second(7), in: .utc)
    #expect(progress.counter == row.counter + 1)
    if let reason = row.reason {
      let reason = reason.isEmpty ? nil : reason
      #expect(
        progress.state
          == .ended(
            Schedule.Ending(
              reason: reason, at: .second(7), owesStopped: reason != nil, kind: reason == nil ? .fired : .finished)))
    } else {
      #expect(progress.state == .live(Schedule.NextTick(slot: .second(1), due: .second(1))))
    }
  }

  /// A tick that was given up is not counted; it ends nothing but what has no slot left, or had reached its limit before.
  @Test(arguments: cases)
  func afterExpiry(_ row: Case) throws {
    let schedule = try row.schedule()
    let progress = schedule.afterExpiry(of: try #require(schedule.nextTick), at: .second(7), in: .utc)
    #expect(progress.counter == row.counter)
    if let limit = row.limit, limit > 0, row.counter >= limit, row.reason == Schedule.EndReason.countLimit {
      let ending = Schedule.Ending(reason: row.reason, at: .second(7), owesStopped: true, kind: .finished)
      return #expect(progress.state == .ended(ending))
    }
    let endsByLimit = row.reason == Schedule.EndReason.countLimit && row.end == nil && row.cron == "* * * * * *"
    if endsByLimit { #expect(progress.state == .live(Schedule.NextTick(slot: .second(1), due: .second(1)))) }
    if row.reason == nil || endsByLimit {
      #expect(progress.state == .live(Schedule.NextTick(slot: .second(1), due: .second(1))))
    } else if case .ended(let ending) = progress.state {
      #expect(ending.reason != Schedule.EndReason.countLimit)
    } else {
      Issue.record("it goes on")
    }
  }
}
