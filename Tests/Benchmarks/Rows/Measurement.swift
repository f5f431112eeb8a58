import Foundation
import Recurrence
import Scheduling

/// The findings, row by row.
struct Measurement {
  let rig: Rig
  let plan: Plan
  var results: Results

  mutating func measure(_ row: Row) throws {
    switch row {
    case .oneShots:
      let burst = BurstRow(rig: rig, count: plan.burst) { .at($0) }
      try compare(
        "\(plan.burst) one-shots due at one instant", with: .at(WallClock.now), reach: 0.8, aim: 0.95, burst.measure)
    case .recurring:
      let timing = Timing.every(try DurationExpression("1h"))
      let burst = BurstRow(rig: rig, count: plan.burst) { _ in timing }
      try compare("\(plan.burst) recurring due at one instant", with: timing, reach: 0.85, aim: 1, burst.measure)
    case .starts:
      let starts = StartsRow(rig: rig, count: plan.burst)
      try compare("accepting \(plan.burst) Starts", with: .at(WallClock.now), reach: 0.4, aim: 0.6, starts.measure)
    case .steady: try measureSteady()
    case .growth: try measureGrowth()
    case .longLoad: try measureLongLoad()
    case .pages: try measurePages()
    }
  }

  /// Beside the bare publisher with messages as long as ticks of this timing.
  private mutating func compare(
    _ work: String, with timing: Timing, reach: Double, aim: Double, _ measure: () throws -> Pace
  ) throws {
    let bare = BarePace(rig: rig, message: BenchSchedules.bareTick(of: timing), count: plan.burst)
    let (ours, besideBare) = try bare.compare(runs: plan.rateRuns, with: measure)
    results.findings.append(
      Finding(
        work: work, unit: .perSecond, comparison: .ratio, ours: ours.map(\.perSecond),
        bare: zip(besideBare, besideBare.dropFirst()).map { ($0.perSecond + $1.perSecond) / 2 }, reach: reach, aim: aim,
        isMoreBetter: true))
    func cost(_ paces: [Pace], _ publisher: String) -> String {
      "\(publisher) \(Unit.microseconds.text(paces.map(\.publisher).median)), "
        + "broker \(Unit.microseconds.text(paces.map(\.broker).median))"
    }
    results.notes.append(
      "\(work), processor time of each: \(cost(ours, "service")); \(cost(besideBare, "bare publisher"))")
  }

  private mutating func measureSteady() throws {
    let session = try SteadySession(rig, count: plan.waiting, seconds: plan.steadySeconds, burst: plan.burst)
    let outcomes = try (0..<plan.runs).map { _ in try session.run() }
    let load = "\(EvenLoad.perSecond) ticks/s beside \(plan.waiting) schedules"
    func late(_ percent: Double, reach: Double, aim: Double) -> Finding {
      Finding(
        work: "lateness p\(Int(percent)), \(load)", unit: .milliseconds, comparison: .difference,
        ours: outcomes.map { $0.steady.percentile(percent) }, bare: outcomes.map { $0.bare.percentile(percent) },
        reach: reach, aim: aim)
    }
    results.findings += [
      late(50, reach: 1, aim: 1), late(99, reach: 10, aim: 3),
      Finding(
        work: "lateness p99 while a burst of \(plan.burst) drains", unit: .milliseconds, comparison: .plain,
        ours: outcomes.map { $0.inBurst.percentile(99) }, reach: 500, aim: 100),
      Finding(
        work: "memory with \(plan.waiting) schedules", unit: .megabytes, comparison: .plain,
        ours: outcomes.map(\.megabytes), reach: 100, aim: 60),
      Finding(
        work: "start after kill -9 to first tick, \(plan.waiting) schedules", unit: .seconds, comparison: .plain,
        ours: outcomes.map(\.restartSeconds), reach: 2, aim: 0.5),
      Finding(
        work: "disk for a schedule, beyond id and payload", unit: .bytes, comparison: .plain,
        ours: [session.store.overheadBytes], reach: 300, aim: 220),
    ]
    results.latencies = [
      .init(name: "bare publisher to consumer", percentiles: Latencies(outcomes.map(\.bare)).curve),
      .init(name: "slot to consumer", percentiles: Latencies(outcomes.map(\.steady)).curve),
      .init(name: "the same while a burst drains", percentiles: Latencies(outcomes.map(\.inBurst)).curve),
    ]
    let burst = Unit.perSecond.text(outcomes.map(\.burstPerSecond).median)
    results.notes.append("the burst of one-shots beside \(load) drained at \(burst)")
  }

  private mutating func measureGrowth() throws {
    results.growth = try plan.growth.map { count in
      print("with \(count) schedules")
      fflush(nil)
      let outcome = try GrowthSession(rig, count: count).run(bursts: max(5, plan.runs))
      return Results.GrowthPoint(
        schedules: count, processorMicroseconds: outcome.processorMicroseconds.median,
        microseconds: outcome.microseconds.median, megabytes: outcome.megabytes)
    }
    guard let first = results.growth.first, let last = results.growth.last else { return }
    let growth = "cost of a tick, \(last.schedules) schedules to \(first.schedules)"
    results.findings += [
      Finding(
        work: "\(growth): processor", unit: .microseconds, comparison: .ratio, ours: [last.processorMicroseconds],
        bare: [first.processorMicroseconds], reach: 1.5, aim: 1.2),
      Finding(
        work: "\(growth): time in a burst", unit: .microseconds, comparison: .ratio, ours: [last.microseconds],
        bare: [first.microseconds], reach: 1.5, aim: 1.2),
      Finding(
        work: "memory with \(last.schedules) schedules", unit: .megabytes, comparison: .plain, ours: [last.megabytes],
        reach: 150, aim: 60),
    ]
  }

  private mutating func measureLongLoad() throws {
    let outcome = try LongLoad(rig: rig, ticks: plan.longLoadTicks).run()
    results.findings.append(
      Finding(
        work: "memory gained in \(plan.longLoadTicks) ticks", unit: .megabytes, comparison: .difference,
        ours: [outcome.megabytesAfter], bare: [outcome.megabytesBefore], reach: 10, aim: 0))
  }
}
