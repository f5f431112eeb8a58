#if DEBUG
  import Testing

  @testable import PocketwatchService

  @Suite("Failpoints")
  struct FailpointsTests {
    @Test("the Nth time only, every time without a number, and with a text only if the body contains it")
    func turns() throws {
      let points = try Failpoints("beforeCommit=error@2,decode/bad=delay:50ms")
      #expect((1...4).map { _ in points.reached(.beforeCommit, []) != nil } == [false, true, false, false])
      let clock = ContinuousClock()
      #expect(clock.measure { _ = points.reached(.decode, Array("a bad one".utf8)) } >= .milliseconds(50))
      #expect(points.reached(.afterCommit, []) == nil)
    }

    @Test(
      "an invalid value is named",
      arguments: [
        "x", "commit=kill", "decode=", "decode=die", "decode=kill@", "decode=kill@0", "decode=kill@1@2", "decode=error",
        "confirm/text=kill", "confirm=delay:", "confirm=delay:soon", "afterCommit=kill,nonsense",
      ])
    func unreadable(value: String) {
      let error = #expect(throws: ConfigurationError.self) { try Failpoints(value) }
      #expect(error?.name == "POCKETWATCH_FAILPOINTS")
      #expect(throws: ConfigurationError.self) {
        try SettingReader(environment: ["POCKETWATCH_FAILPOINTS": value], file: nil)
      }
    }
  }
#endif
