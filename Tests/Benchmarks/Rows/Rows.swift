import ArgumentParser
import Foundation
import Recurrence
import Scheduling

/// The whole program on a real broker, beside a bare publisher on the same broker in the same run.
struct Rows: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "The whole program, beside a bare publisher on the same broker.")

  @Option(help: "The broker, which has definitions.json.")
  var url: String

  @Option(help: "Its version.")
  var broker: String

  @Option(help: "What is measured.")
  var commit: String

  @Option(help: "The program that is measured.")
  var service: String

  @Option(help: "The bare client.")
  var client: String

  @Option(help: "Where databases and logs go.")
  var folder: String

  @Option(help: "Where to leave the results, as JSON.")
  var results: String

  @Option(help: "Names of rows, separated by commas; all if not said.")
  var rows: String?

  @Option(help: "How often each is measured; medians count.")
  var runs = 3

  @Flag(help: "Less of everything.")
  var quick = false

  func run() throws {
    let signals = ChildProcess.endAllOnSignal()
    defer { withExtendedLifetime(signals) {} }
    let plan = try plan()
    let rig = Rig(
      url: url, service: URL(filePath: service), client: URL(filePath: client), folder: URL(filePath: folder))
    var measured = Results(machine: .current(broker: broker, commit: commit))
    print("\n\(measured.machine.text)\n")
    for row in plan.rows {
      print("measuring \(row.rawValue)")
      fflush(nil)  // seen at once where the output is no terminal
      measured.findings.append(contentsOf: try row.measure(rig, plan))
      try measured.write(to: URL(filePath: results))
    }
    print("\nmedians of \(plan.runs) runs\n\n\(Table(measured.findings).text)\n\nresults: \(results)")
  }

  private func plan() throws -> Plan {
    let names = rows?.split(separator: ",").map(String.init) ?? Row.allCases.map(\.rawValue)
    let rows = try names.map { name in
      guard let row = Row(rawValue: name) else {
        let known = Row.allCases.map(\.rawValue).joined(separator: ", ")
        throw ValidationError("there is no row \(name); there are \(known)")
      }
      return row
    }
    guard runs > 0 else { throw ValidationError("--runs wants at least 1") }
    return quick ? .quick(rows, runs: runs) : Plan(rows: rows, runs: runs)
  }
}

extension Row {
  fileprivate func measure(_ rig: Rig, _ plan: Plan) throws -> [Finding] {
    switch self {
    case .oneShots:
      let timing = Timing.at(WallClock.now)
      let (ours, bare) = try BarePace(rig: rig, message: BenchSchedules.bareTick(of: timing), count: plan.burst)
        .compare(runs: plan.runs, with: BurstRow(rig: rig, count: plan.burst) { .at($0) }.measure)
      return [
        Finding("\(plan.burst) one-shots due at one instant", ours, besideBare: bare, reach: 0.8, aim: 0.95)
      ]
    case .recurring:
      let timing = Timing.every(try DurationExpression("1h"))
      let (ours, bare) = try BarePace(rig: rig, message: BenchSchedules.bareTick(of: timing), count: plan.burst)
        .compare(runs: plan.runs, with: BurstRow(rig: rig, count: plan.burst) { _ in timing }.measure)
      return [
        Finding("\(plan.burst) recurring due at one instant", ours, besideBare: bare, reach: 0.85, aim: 1)
      ]
    case .starts:
      let timing = Timing.at(WallClock.now)
      let (ours, bare) = try BarePace(rig: rig, message: BenchSchedules.bareTick(of: timing), count: plan.burst)
        .compare(runs: plan.runs, with: StartsRow(rig: rig, count: plan.burst).measure)
      return [Finding("accepting \(plan.burst) Starts", ours, besideBare: bare, reach: 0.4, aim: 0.6)]
    }
  }
}

extension Finding {
  fileprivate init(_ work: String, _ ours: [Pace], besideBare bare: [Double], reach: Double, aim: Double) {
    self.init(
      work: work, unit: .perSecond, comparison: .ratio, ours: ours.map(\.perSecond), bare: bare, reach: reach, aim: aim,
      isMoreBetter: true, processorMicroseconds: ours.map(\.microseconds))
  }
}
