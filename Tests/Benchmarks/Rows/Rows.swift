import ArgumentParser
import Foundation

/// The whole program on a real broker, beside a bare publisher on the same broker in the same run.
struct Rows: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "The whole program, beside a bare publisher on the same broker.")

  @Option(help: "The URL of the broker, with definitions.json imported.")
  var url: String

  @Option(help: "Its version.")
  var broker: String

  @Option(help: "Its process id.")
  var brokerProcess: Int32

  @Option(help: "Its folder, see ops/broker.")
  var brokerFolder: String

  @Option(help: "The measured commit.")
  var commit: String

  @Option(help: "The measured program.")
  var service: String

  @Option(help: "The bare client.")
  var client: String

  @Option(help: "The folder for databases and logs.")
  var folder: String

  @Option(help: "The file for the results, as JSON.")
  var results: String

  @Option(help: "Names of rows, separated by commas; all by default.")
  var rows: String?

  @Option(help: "The number of runs of each; medians count.")
  var runs = 3

  @Option(help: "Ticks of the long load.")
  var soakTicks: Int?

  @Flag(help: "Less of everything.")
  var quick = false

  func run() throws {
    let signals = ChildProcess.endAllOnSignal()
    defer { withExtendedLifetime(signals) {} }
    let plan = try plan()
    let rig = Rig(
      url: url, broker: ProcessFigures(processID: brokerProcess), brokerFolder: brokerFolder,
      service: URL(filePath: service), client: URL(filePath: client), folder: URL(filePath: folder))
    var measurement = Measurement(
      rig: rig, plan: plan, results: Results(machine: .current(broker: broker, commit: commit)))
    print("\n\(measurement.results.machine.text)\n")
    for row in plan.rows {
      print("measuring \(row.rawValue)")
      fflush(nil)  // shown at once if the output is not a terminal
      try measurement.measure(row)
      try measurement.results.write(to: URL(filePath: results))
    }
    print("\nmedians of \(plan.runs) runs, of rates beside the bare publisher of \(plan.rateRuns)\n")
    print("\(Table(measurement.results.findings).text)\n")
    for note in measurement.results.notes { print(note) }
    print("results: \(results)")
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
    guard runs > 0 else { throw ValidationError("--runs requires at least 1") }
    var plan = quick ? .quick(rows, runs: runs) : Plan(rows: rows, runs: runs)
    if let soakTicks { plan.longLoadTicks = soakTicks }
    return plan
  }
}
