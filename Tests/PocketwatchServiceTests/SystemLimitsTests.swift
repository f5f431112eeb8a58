import Testing

@testable import PocketwatchService

/// The required resource limits.
struct SystemLimitsTests {
  @Test func enough() throws {
    try SystemLimits.check()
    try SystemLimits.check(openFiles: 32, addressSpace: 1 << 30)
    try SystemLimits.check(openFiles: .max, addressSpace: .max)
  }

  @Test(arguments: [
    (UInt(31), UInt.max, "the limit of open files is 31"),
    (1024, UInt(1 << 30) - 1, "the limit of address space is 1023 MiB"),
  ])
  func tooLittle(openFiles: UInt, addressSpace: UInt, reason: String) {
    let failure = #expect(throws: ServiceFailure.self) {
      try SystemLimits.check(openFiles: openFiles, addressSpace: addressSpace)
    }
    #expect(failure?.code == .system)
    #expect(failure?.description.hasPrefix(reason) == true)
  }
}
