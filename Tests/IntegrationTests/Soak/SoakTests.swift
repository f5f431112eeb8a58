import Foundation
import Testing

/// P1 to P11, P27, P31. `ops/soak`: service and broker are killed at random while commands and ticks flow, then the history is judged.
@Suite("Soak", .serialized, .enabled(if: SoakRun.Plan.isAskedFor, "ops/soak runs it"))
struct SoakTests {
  @Test("no promise is broken, whatever is killed")
  func soak() async throws {
    let plan = try SoakRun.Plan.asked()
    try await PrivateBroker.running([]) { broker in
      let run = try SoakRun(plan, broker: broker, url: try #require(try await broker.url().string))
      do {
        try await run.run()
      } catch {
        Issue.record("\(error)")
      }
      if let path = plan.historyPath { try run.client.history.write(to: path) }
      Self.tell(BusHistoryChecker.check(run.client.history), of: run)
    }
  }

  private static func tell(_ checker: BusHistoryChecker, of run: SoakRun) {
    let figures = checker.figures
    let faults = Fault.allCases.map { "\($0.rawValue) \(figures.faults[$0] ?? 0)" }.joined(separator: ", ")
    let returns = run.returns.sorted()
    print("soak: \(faults); left out, out of time: \(run.leftOut)")
    print(
      "soak: \(figures.commands) commands, \(figures.outcomes) outcomes, \(figures.ticks) ticks, "
        + "\(figures.deadLetters) dead letters")
    print("soak: \(figures.inversions) commands out of order")
    print("soak: \(figures.repeats) ticks repeated, at most \(figures.mostRepeats) after one fault")
    if let most = returns.last {
      print("soak: first event after the broker's return: median \(returns[returns.count / 2]) ms, at most \(most) ms")
    }
    print("soak: \(checker.violations.count) violations")
    for violation in checker.violations.prefix(50) { Issue.record("\(violation)") }
  }
}
