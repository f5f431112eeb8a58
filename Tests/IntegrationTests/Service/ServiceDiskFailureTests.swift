import Testing

/// P16: a disk that fails. Whether the last transaction is durable is unknown then, so the service ends, and the next start
/// reads what is there.
@Suite(
  "The service: a failing disk", .serialized, .timeLimit(.minutes(15)),
  .enabled(if: TestEnvironment.hasService, TestEnvironment.needsService),
  .enabled(if: TestEnvironment.hasStrace, TestEnvironment.needsStrace))
struct ServiceDiskFailureTests {
  @Test("failing at any point, the service ends with code 6 and the next start finishes what it began")
  func failures() async throws {
    let run = try await CrashPointRun(.limit, broker: TestEnvironment.brokerURL)
    // A file system that the kernel made read-only after an error returns EROFS.
    try await run.run(
      at: [
        .failure("fdatasync", error: "EIO"), .failure("pwrite64", error: "EIO", every: 5),
        .failure("pwrite64", error: "EROFS", every: 10),
      ], for: 600)
    #expect(run.leftOut.isEmpty)
    #expect(run.kills.allSatisfy { $0.count > 2 }, "\(run.kills)")
    let checker = BusHistoryChecker.check(run.client.history)
    #expect(checker.violations == [])
    let failures = run.kills.map { "\($0.point) \($0.count)" }.joined(separator: ", ")
    print("disk failures: \(failures); \(checker.figures.repeats) ticks repeated")
  }
}
