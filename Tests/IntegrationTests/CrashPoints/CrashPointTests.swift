import Testing

/// P1 to P9, P19, P27 to P31. `ops/crashpoints`: kill -9 before each system call of a Start, a tick, a Stop, an end, a Pause, a
/// Resume, a Trigger, an Update, a first start and a migration.
@Suite("Crash points", .enabled(if: CrashPointRun.seconds != nil, "ops/crashpoints runs them"))
struct CrashPointTests {
  @Test("killed at any point, the next start finishes what was begun", arguments: CrashScenario.allCases)
  func kill(in scenario: CrashScenario) async throws {
    let run = try await CrashPointRun(scenario, broker: TestEnvironment.brokerURL)
    try await run.run(at: scenario.systemCalls.map { .systemCall($0) }, for: CrashPointRun.seconds ?? 0)
    let checker = BusHistoryChecker.check(run.client.history)
    let kills = run.kills.map { "\($0.point) \($0.count)" }.joined(separator: ", ")
    let sum = run.kills.map(\.count).reduce(0, +)
    print("crash points: \(scenario.rawValue): \(sum) kills (\(kills))")
    print(
      "crash points: \(scenario.rawValue): \(checker.figures.repeats) ticks repeated, at most "
        + "\(checker.figures.mostRepeats) after one kill; \(checker.violations.count) violations")
    if !run.leftOut.isEmpty {
      print("crash points: \(scenario.rawValue): LEFT OUT, out of time: \(run.leftOut.joined(separator: ", "))")
    }
    for violation in checker.violations.prefix(20) { Issue.record("\(scenario.rawValue): \(violation)") }
    // The database is written and synced several times and the broker gets several frames: fewer kills mean a broken test.
    for systemCall in ["fdatasync", "pwrite64", "sendto"] where !run.leftOut.contains(systemCall) {
      #expect(run.kills.contains { $0.point == systemCall && $0.count > 2 }, "\(systemCall) was rarely reached")
    }
  }
}
