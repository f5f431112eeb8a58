import Scheduling
@testable import Simulation
import Testing

/// Random runs of the engine against all the faults there are; a seed that fails is replayed by running it alone.
struct SimulationTests {
  private static let steps = Simulation.usualSteps

  /// A few: `ops/simulate` runs thousands, built for speed.
  @Test(arguments: (0..<12).map { $0 * 5..<($0 + 1) * 5 } as [Range<UInt64>])
  func keepsItsPromises(seeds: Range<UInt64>) throws {
    for seed in seeds {
      let simulation = try Simulation.run(seed: seed, steps: Self.steps)
      let checker = SimulationChecker.check(simulation.history)
      let violations = checker.violations
      #expect(violations.isEmpty, "seed \(seed): \(violations.prefix(3).joined(separator: "\n"))")
    }
  }

  /// Each state that matters is reached, so that the runs prove something.
  @Test func reachesRareStates() throws {
    var unreached = Set(RareState.allCases)
    for seed in 0..<200 as Range<UInt64> where !unreached.isEmpty {
      let simulation = try Simulation.run(seed: seed, steps: Self.steps)
      unreached.subtract(simulation.reached.keys)
      unreached.subtract(SimulationChecker.check(simulation.history).reached.keys)
    }
    #expect(unreached.isEmpty, "never reached")
  }

  @Test func sameSeedIsTheSameRun() throws {
    for seed in 0..<2 as Range<UInt64> {
      let one = try Simulation.run(seed: seed, steps: Self.steps).history
      let two = try Simulation.run(seed: seed, steps: Self.steps).history
      #expect(one == two)
    }
  }
}
