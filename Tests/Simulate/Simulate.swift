import ArgumentParser
import Foundation
import Recurrence
import Scheduling
import Simulation
import Synchronization

/// Runs the engine in simulated worlds, one for each seed, and checks each run. Used through `ops/simulate`.
@main
struct Simulate: AsyncParsableCommand {
  @Option(help: "How many seeds to run.")
  var seeds: UInt64 = 2000

  @Option(help: "The first seed.")
  var from: UInt64 = 0

  @Option(help: "Run only this seed, and print its history.")
  var seed: UInt64?

  @Option(help: "How many random steps a run has.")
  var steps = Simulation.usualSteps

  @Option(help: "Stop at the first seed with a violation that matches this regular expression.")
  var until: String?

  func run() async throws {
    if let seed {
      try replay(seed)
    } else {
      try await runAll()
    }
  }

  private func replay(_ seed: UInt64) throws {
    let verdict = try Verdict(seed: seed, steps: steps)
    print(verdict.story, terminator: "")
    try conclude(verdict.violations)
  }

  private func runAll() async throws {
    let begin = ContinuousClock.now
    let sum = try await judgeAll()
    let seconds = (ContinuousClock.now - begin) / .seconds(1)
    let isSame = try isTheSameElsewhere()
    print("\(sum.seeds) seeds from \(from), \(steps) steps each: \(Int(seconds.rounded())) s")
    let hours = sum.simulatedHours / max(sum.seeds, 1)
    print("simulated time: \(sum.simulatedHours / 24) days, \(hours) hours a seed; \(sum.ticks) ticks")
    for state in RareState.allCases { print("  \(state): \(sum.reached[state] ?? 0)") }
    let unreached = RareState.allCases.filter { sum.reached[$0] == nil }
    if !unreached.isEmpty { print("never reached: \(unreached)") }
    let broken = sum.violations.sorted { $0.key < $1.key }.flatMap(\.value)
    let found = Self.found.withLock { $0 }
    if found.number < .max { print("found: \(found.violation)") }
    let difference = ["not deterministic: seed \(from) runs differently in another process"]
    try conclude(broken + (isSame ? [] : difference))
  }

  /// The same seed gives the same run, also in another process, where Swift seeds its hashes differently. Otherwise a
  /// failure could not be reproduced, and a restarted service would decide differently.
  private func isTheSameElsewhere() throws -> Bool {
    let output = Pipe()
    let process = Process()
    process.executableURL = Bundle.main.executableURL
    process.arguments = ["--seed", "\(from)", "--steps", "\(steps)"]
    process.standardOutput = output
    try process.run()
    let story = try output.fileHandleForReading.readToEnd() ?? Data()
    process.waitUntilExit()
    return story.starts(with: Data(try Verdict(seed: from, steps: steps).story.utf8))
  }

  /// The lowest number of a seed with what is looked for, and its violation. All earlier seeds are run, so that the
  /// result is always the same.
  private static let found = Mutex((number: UInt64.max, violation: ""))

  private func judgeAll() async throws -> Sum {
    try await withThrowingTaskGroup(of: Sum.self) { group in
      let lanes = UInt64(ProcessInfo.processInfo.activeProcessorCount)
      for lane in 0..<lanes {
        group.addTask {
          let pattern = try until.map { try Regex($0) }
          var sum = Sum()
          for number in stride(from: lane, to: seeds, by: Int(lanes)) {
            if number > Self.found.withLock({ $0.number }) { break }
            let verdict = try Verdict(seed: from + number, steps: steps)
            if let pattern, let violation = verdict.violations.first(where: { $0.contains(pattern) }) {
              Self.found.withLock { if number < $0.number { $0 = (number, violation) } }
            }
            sum.add(verdict)
          }
          return sum
        }
      }
      return try await group.reduce(into: Sum()) { $0.add($1) }
    }
  }

  private func conclude(_ violations: [String]) throws {
    for violation in violations.prefix(20) { print(violation) }
    print("\(violations.count) violations")
    if !violations.isEmpty { throw ExitCode(1) }
  }
}

/// The result of one seed.
private struct Verdict {
  let seed: UInt64
  let history: SimulationHistory
  let violations: [String]
  let reached: [RareState: Int]

  init(seed: UInt64, steps: Int) throws {
    let simulation = try Simulation.run(seed: seed, steps: steps)
    let checker = SimulationChecker.check(simulation.history)
    self.seed = seed
    history = simulation.history
    violations = checker.violations.map { "seed \(seed): \($0)" }
    reached = simulation.reached.merging(checker.reached, uniquingKeysWith: +)
  }

  /// What happened, a line for each entry.
  var story: String {
    history.entries.map { "\($0.now.wall.rfc3339) \($0.event)\n" }.joined()
  }
}

/// The results of many seeds.
private struct Sum {
  var seeds: UInt64 = 0
  var violations: [UInt64: [String]] = [:]
  var reached: [RareState: Int] = [:]
  var simulatedHours: UInt64 = 0
  var ticks = 0

  mutating func add(_ verdict: Verdict) {
    seeds += 1
    if !verdict.violations.isEmpty { violations[verdict.seed] = Array(verdict.violations.prefix(3)) }
    reached.merge(verdict.reached, uniquingKeysWith: +)
    simulatedHours += UInt64(max(0, verdict.history.elapsedMilliseconds / 3_600_000))
    ticks += verdict.history.tickCount
  }

  mutating func add(_ other: Sum) {
    seeds += other.seeds
    violations.merge(other.violations) { $1 }
    reached.merge(other.reached, uniquingKeysWith: +)
    simulatedHours += other.simulatedHours
    ticks += other.ticks
  }
}
