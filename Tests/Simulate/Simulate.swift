import ArgumentParser
import Foundation
import Recurrence
import Scheduling
import Simulation

/// Runs the engine in simulated worlds, one for each seed, and judges each run. Used through `ops/simulate`.
@main
struct Simulate: AsyncParsableCommand {
  @Option(help: "How many seeds to run.")
  var seeds: UInt64 = 2000

  @Option(help: "The first seed.")
  var from: UInt64 = 0

  @Option(help: "Run this seed alone, and print what happened.")
  var seed: UInt64?

  @Option(help: "How many random steps a run has.")
  var steps = Simulation.usualSteps

  func run() async throws {
    if let seed {
      try replay(seed)
    } else {
      try await runAll()
    }
  }

  private func replay(_ seed: UInt64) throws {
    let verdict = try Verdict(seed: seed, steps: steps)
    for entry in verdict.history.entries { print("\(entry.now.wall.rfc3339) \(entry.event)") }
    try conclude(verdict.violations)
  }

  private func runAll() async throws {
    let begin = ContinuousClock.now
    let sum = try await withThrowingTaskGroup(of: Sum.self) { group in
      let lanes = UInt64(ProcessInfo.processInfo.activeProcessorCount)
      for lane in 0..<lanes {
        group.addTask {
          var sum = Sum()
          for number in stride(from: lane, to: seeds, by: Int(lanes)) {
            sum.add(try Verdict(seed: from + number, steps: steps))
          }
          return sum
        }
      }
      return try await group.reduce(into: Sum()) { $0.add($1) }
    }
    let seconds = (ContinuousClock.now - begin) / .seconds(1)
    // The same seed is the same run: otherwise a failure could not be looked at again.
    let again = try Verdict(seed: from, steps: steps).hash == Verdict(seed: from, steps: steps).hash
    print("\(seeds) seeds from \(from), \(steps) steps each: \(Int(seconds.rounded())) s")
    let hours = sum.simulatedHours / max(seeds, 1)
    print("simulated time: \(sum.simulatedHours / 24) days, \(hours) hours a seed; \(sum.ticks) ticks")
    for state in RareState.allCases { print("  \(state): \(sum.reached[state] ?? 0)") }
    let unreached = RareState.allCases.filter { sum.reached[$0] == nil }
    if !unreached.isEmpty { print("never reached: \(unreached)") }
    if !again { print("seed \(from) ran differently the second time") }
    try conclude(sum.violations + (again ? [] : ["not deterministic"]))
  }

  private func conclude(_ violations: [String]) throws {
    for violation in violations.prefix(20) { print(violation) }
    print("\(violations.count) violations")
    if !violations.isEmpty { throw ExitCode(1) }
  }
}

/// What came of one seed.
private struct Verdict {
  let history: SimulationHistory
  let violations: [String]
  let reached: [RareState: Int]

  init(seed: UInt64, steps: Int) throws {
    let simulation = try Simulation.run(seed: seed, steps: steps)
    let checker = SimulationChecker.check(simulation.history)
    history = simulation.history
    violations = checker.violations.prefix(3).map { "seed \(seed): \($0)" }
    reached = simulation.reached.merging(checker.reached, uniquingKeysWith: +)
  }

  /// FNV-1a over what happened, the same in every process.
  var hash: UInt64 {
    "\(history.entries)".utf8.reduce(0xcbf2_9ce4_8422_2325) { ($0 ^ UInt64($1)) &* 0x100_0000_01b3 }
  }
}

/// What came of many seeds.
private struct Sum {
  var violations: [String] = []
  var reached: [RareState: Int] = [:]
  var simulatedHours: UInt64 = 0
  var ticks = 0

  mutating func add(_ verdict: Verdict) {
    violations += verdict.violations
    reached.merge(verdict.reached, uniquingKeysWith: +)
    simulatedHours += UInt64(max(0, verdict.history.elapsedMilliseconds / 3_600_000))
    ticks += verdict.history.tickCount
  }

  mutating func add(_ other: Sum) {
    violations += other.violations
    reached.merge(other.reached, uniquingKeysWith: +)
    simulatedHours += other.simulatedHours
    ticks += other.ticks
  }
}
