import Recurrence
import Scheduling
import SchedulingTestKit
import Simulation
import Testing

/// An application declares its schedules whenever it starts, with `keep` or `replaceIfChanged`: a schedule that ended
/// automatically does not run again.
struct EngineDeclaredAgainTests {
  private let limited: Definition

  init() throws {
    limited = Definition(
      id: "a", timing: try Timing(cron: "* * * * * *"), limit: 2, ifExists: .keep, payload: Array("[1.0]".utf8))
  }

  private func run(_ driver: inout EngineDriver, seconds: Int) {
    for _ in 0..<seconds {
      while !driver.inFlight.isEmpty { driver.ack() }
      driver.advance(seconds: 1)
    }
    while !driver.inFlight.isEmpty { driver.ack() }
  }

  /// Declared three times, a limit of 2 gives 2 ticks; with another message_id, the same one, or none.
  @Test(arguments: [IfExists.keep, .replaceIfChanged], [nil, "same", "new"])
  func limitIsReachedOnce(ifExists: IfExists, messageID: String?) throws {
    var definition = limited
    definition.ifExists = ifExists
    let store = MemoryStore()
    for start in 0..<3 as Range<Int64> {
      var driver = try EngineDriver.connected(store: store, at: .second(start * 7200))
      driver.start(definition, messageID: messageID.map { $0 == "new" ? "\(start)" : $0 })
      run(&driver, seconds: 5)
      #expect(driver.ticks.count == (start == 0 ? 2 : 0))
      let started = try #require(driver.started.last)
      #expect(started.effect == (start == 0 || messageID == "same" ? .created : .kept))
      #expect(started.hasEnded == (start > 0))
      #expect(started.generation == 1)
      #expect(started.counter == (start == 0 ? 0 : 2))
      #expect(started.definition.payload == definition.payload)
      #expect(driver.stopped.count == (start == 0 ? 1 : 0))
      driver.receive(.drain)
    }
  }

  @Test func oneShotFiresOnce() throws {
    let timings: [Timing] = [.at(.second(-50)), try Timing(duration: "1s")]
    for timing in timings {
      var driver = try EngineDriver.connected()
      let definition = Definition(id: "a", timing: timing, ifExists: .keep)
      for _ in 0..<3 {
        driver.start(definition)
        run(&driver, seconds: 3)
      }
      #expect(driver.ticks.count == 1)
      #expect(driver.started.map(\.effect) == [.created, .kept, .kept])
    }
  }

  /// A Stop is deliberate: a stopped schedule begins again when it is declared.
  @Test func stoppedOneBeginsAgain() throws {
    var driver = try EngineDriver.connected()
    // Its words are those of an automatic end.
    driver.start(limited)
    driver.stop("a", reason: Schedule.EndReason.countLimit)
    driver.start(limited)
    run(&driver, seconds: 4)
    #expect(driver.started.map(\.effect) == [.created, .created])
    #expect(driver.ticks.count == 2)
  }

  @Test(arguments: [nil, IfExists.replace, .reject])
  func othersBeginAgain(ifExists: IfExists?) throws {
    var driver = try EngineDriver.connected()
    var definition = limited
    definition.ifExists = ifExists
    for _ in 0..<2 {
      driver.start(definition)
      run(&driver, seconds: 4)
    }
    #expect(driver.ticks.count == 4)
    #expect(driver.started.map(\.effect) == [.created, .created])
  }

  /// The schedule is declared again while it owes its Stopped: that comes first.
  @Test func stoppedComesBeforeTheAnswer() throws {
    var driver = try EngineDriver.connected()
    driver.start(limited)
    driver.ack()
    for _ in 0..<2 {
      driver.advance(seconds: 1)
      driver.ack { $0.isTick }
    }
    driver.start(limited)
    #expect(driver.started.count == 1)
    driver.ack()
    #expect(driver.started.map(\.effect) == [.created, .kept])
    #expect(driver.stopped.count == 1)
  }

  /// Retained for 30 days after its end, others for a day or an hour.
  @Test func isRetained() throws {
    var driver = try EngineDriver.connected()
    driver.start(limited)
    run(&driver, seconds: 4)
    for definition in [
      Definition(id: "kept", timing: .at(.noon), ifExists: .keep), Definition(id: "fired", timing: .at(.noon)),
      Definition(id: "finished", timing: limited.timing, limit: 1),
      Definition(id: "later", timing: limited.timing, limit: 1),
    ] { driver.start(definition) }
    run(&driver, seconds: 4)
    // Declared by a Start that keeps it after all.
    driver.start(Definition(id: "later", timing: limited.timing, limit: 1, ifExists: .keep))
    run(&driver, seconds: 1)
    func left() throws -> [String] { try driver.store.page(after: nil, limit: 9).map(\.id.text) }
    driver.advance(seconds: 4000)
    #expect(try left() == ["a", "finished", "kept", "later"])
    driver.advance(seconds: 86_400)
    #expect(try left() == ["a", "kept", "later"])
    for _ in 0..<28 { driver.advance(seconds: 86_400) }
    #expect(try left() == ["a", "kept", "later"])
    driver.start(limited)
    #expect(driver.started.last?.effect == .kept)
    driver.ack()
    driver.advance(seconds: 2 * 86_400)
    #expect(try left() == [])
  }

  /// A Start that keeps a live schedule which another one began: it is retained all the same.
  @Test func declaredWhileItLives() throws {
    var driver = try EngineDriver.connected()
    var first = limited
    first.ifExists = nil
    driver.start(first)
    driver.start(limited)
    run(&driver, seconds: 4)
    #expect(driver.started.map(\.effect) == [.created, .kept])
    #expect(try driver.stored("a")?.ending?.kind == .lasting)
    driver.advance(seconds: 5 * 86_400)
    driver.start(limited)
    #expect(driver.started.last?.hasEnded == true)
    #expect(driver.ticks.count == 2)
  }
}
