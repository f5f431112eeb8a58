import Recurrence
import Scheduling
import SchedulingTestKit
import Simulation
import Testing

/// The store fails, is slow, or is under load.
struct EngineStoreTests {
  private let everySecond: Definition
  private static let full = StoreError(.full, "no space left")

  init() throws {
    everySecond = Definition(id: "a", timing: try Timing(cron: "* * * * * *"))
  }

  private func driver(settings: Engine.Settings = Engine.Settings()) throws -> EngineDriver {
    var driver = try EngineDriver.connected(settings: settings)
    driver.start(everySecond)
    driver.ack()
    return driver
  }

  // MARK: Failures

  /// A full store: commands are requeued once, nothing is published, and confirmed ticks are stored first when it
  /// recovers.
  @Test func fullStoreRecoversAutomatically() throws {
    var driver = try driver()
    driver.start(Definition(id: "b", timing: .at(.second(3))))
    driver.ack()
    driver.advance(seconds: 1)
    driver.store.fault = Self.full
    driver.ack()
    #expect(driver.pauses == 1)
    let count = driver.published.count
    driver.receive(.commandsClosed)
    driver.advance(seconds: 10)
    #expect(driver.published.count == count, "published while nothing can be stored")
    #expect(driver.pauses == 1)
    #expect(driver.resumptions == 0)

    driver.store.fault = nil
    driver.advance(seconds: 1)
    #expect(driver.resumptions == 0, "it might fail again at once")
    guard case .advance(let key, .second(1), let progress, _, _)? = driver.applied.last?.first else {
      Issue.record("stored last: \(driver.applied.last ?? [])")
      return
    }
    #expect(driver.applied.last?.count == 1)
    #expect(key.generation == 1)
    #expect(progress.state == .live(Schedule.NextTick(slot: .second(2), due: .second(2))))
    #expect(progress.counter == 1)
    #expect(driver.ticks.map(\.slot) == [.second(1), .second(2), .second(3)])
    driver.advance(seconds: 1)
    #expect(driver.resumptions == 1)
    #expect(driver.reports.filter { if case .storeUnavailable = $0 { true } else { false } }.count == 1)
    #expect(driver.reports.filter { if case .storeRecovered = $0 { true } else { false } }.count == 1)
  }

  /// A nearly full disk: commands are consumed again soon each time, since requeued commands go to the inbox.
  @Test func commandsAreConsumedAgainSoon() throws {
    var driver = try driver()
    for round in 1...8 {
      driver.store.fault = Self.full
      driver.advance(seconds: 3)
      driver.ack()
      driver.store.fault = nil
      driver.advance(seconds: 3)
      driver.ack()
      #expect(driver.pauses == round)
      #expect(driver.resumptions == round)
    }
  }

  /// A command that could not be stored is neither answered nor settled; it is applied once when the store recovers.
  @Test func commandWaitsForAFullStore() throws {
    var driver = try EngineDriver.connected()
    driver.holdsStore = true
    driver.start(everySecond, messageID: "m")
    driver.answerStore()
    driver.store.fault = Self.full
    driver.answerStore()
    driver.receive(.commandsClosed)
    #expect(driver.published.isEmpty)
    #expect(driver.frames.isEmpty)
    driver.store.fault = nil
    driver.holdsStore = false
    driver.advance(seconds: 1)
    driver.ack()
    driver.consume()
    driver.start(everySecond, messageID: "m")
    driver.ack()
    #expect(driver.frames == [.acknowledge(tag: 1, multiple: true)])
    #expect(Set(driver.started.map(\.generation)) == [1])
  }

  @Test(arguments: [StoreError.Kind.inputOutput, .corrupt, .other])
  func otherFailuresEndTheProcess(kind: StoreError.Kind) throws {
    var driver = try driver()
    driver.advance(seconds: 1)
    driver.store.fault = StoreError(kind, "broken")
    driver.ack()
    #expect(driver.failure?.kind == kind)
    let count = driver.published.count
    driver.store.fault = nil
    driver.step(milliseconds: 60_000)
    #expect(driver.published.count == count)
    let wake = driver.engine.nextWake(at: driver.now)
    #expect(wake.wall == nil && wake.uptime == nil)
  }

  /// While a slow retry is outstanding, the request is not repeated.
  @Test func slowRetryIsAskedForOnce() throws {
    var driver = try driver()
    driver.advance(seconds: 1)
    driver.store.fault = Self.full
    driver.ack()
    driver.store.fault = nil
    driver.holdsStore = true
    driver.advance(seconds: 10)
    #expect(driver.heldRequest != nil)
    driver.holdsStore = false
    driver.answerStore()
    #expect(try driver.stored("a")?.counter == 1)
    #expect(driver.ticks.last?.slot == .second(2))
  }

  /// While the store works, due ticks are sent.
  @Test func ticksDoNotWaitForTheStore() throws {
    var driver = try driver()
    driver.start(Definition(id: "b", timing: .at(.second(2))))
    driver.ack()
    driver.advance(seconds: 1)
    driver.holdsStore = true
    driver.ack()
    driver.advance(seconds: 1)
    #expect(driver.ticks.map(\.definition.id) == ["a", "b"])
  }

  /// But no tick may leave while a command on its schedule is being decided.
  @Test func noTickBetweenDecisionAndTransaction() throws {
    var driver = try driver()
    driver.holdsStore = true
    driver.stop("a")
    driver.advance(seconds: 2)
    driver.answerStore()
    driver.advance(seconds: 2)
    driver.answerStore()
    driver.advance(seconds: 2)
    #expect(driver.ticks.isEmpty)
    #expect(driver.stopped.count == 1)
  }

  // MARK: Load

  /// More schedules than are kept loaded: each ticks at its time, whatever the order in which they were started.
  @Test(arguments: [1, 7])
  func windowSlidesOverManySchedules(stride: Int) throws {
    var settings = Engine.Settings()
    settings.duePage = 4
    settings.dueCapacity = 12
    settings.publishWindow = 8
    let store = MemoryStore()
    var driver = try EngineDriver.connected(store: store, settings: settings)
    for index in 0..<100 {
      let second = Int64(index * stride % 100)
      driver.start(Definition(id: "\(second)", timing: .at(.second(second))))
      driver.ack()
    }
    driver.ack()
    for second in 0..<100 as Range<Int64> {
      while !driver.inFlight.isEmpty { driver.ack() }
      let slots = driver.ticks.map(\.slot)
      #expect(slots == (0...second).map { .second($0) })
      driver.advance(seconds: 1)
    }
  }

  /// The sweep starts ten minutes after consuming began and comes each minute, in steps while there is much to remove.
  @Test func sweeps() throws {
    var settings = Engine.Settings()
    settings.sweepStep = 2
    var driver = try EngineDriver.connected(settings: settings)
    for index in 0..<5 { driver.start(Definition(id: "\(index)", timing: .at(.noon))) }
    while !driver.inFlight.isEmpty { driver.ack() }
    driver.advance(milliseconds: 599_999)
    #expect(driver.sweeps.isEmpty)
    driver.advance(milliseconds: 1)
    #expect(driver.sweeps.count == 1)
    driver.advance(milliseconds: 60_000)
    #expect(driver.sweeps.count == 2)
    #expect(
      driver.sweeps.last
        == Retention(
          endedBefore: .second(660 - 86_400), firedBefore: .second(660 - 3600),
          lastingBefore: .second(660 - 30 * 86_400), answeredBefore: .second(660 - 3600),
          maximumEnded: 1_000_000, maximumCommands: 1_000_000))
    driver.advance(seconds: 3600)
    let before = driver.sweeps.count
    #expect(try driver.store.page(after: nil, limit: 9).isEmpty)
    driver.advance(seconds: 60)
    #expect(driver.sweeps.count == before + 1)
  }

  /// A store that always has something to commit is still swept: ended schedules must not pile up.
  @Test func sweepIsNotStarved() throws {
    var driver = try driver()
    driver.advance(seconds: 1)
    driver.holdsStore = true
    var acked = 0
    while driver.now.uptime < Now.second(700).uptime, driver.sweeps.isEmpty {
      // A command waits and a tick is confirmed whenever the store becomes free.
      driver.start(Definition(id: "b", timing: everySecond.timing))
      driver.ack()
      driver.step(milliseconds: 1_000)
      driver.answerStore()
      acked += 1
    }
    #expect(!driver.sweeps.isEmpty)
  }

  /// A backlog of ticks at the start does not delay commands and end notices.
  @Test func commandsAreNotStarvedByABacklogOfTicks() throws {
    var settings = Engine.Settings()
    settings.duePage = 2
    settings.dueCapacity = 6
    settings.publishWindow = 2
    let store = MemoryStore()
    var generation: Int64 = 0
    for index in 0..<200 {
      generation += 1
      try store.apply([
        .start(.live(Definition(id: "\(index)", timing: .at(.noon)), generation: generation, slot: .noon))
      ])
    }
    var driver = try EngineDriver(store: store, at: .second(5), settings: settings)
    driver.holdsStore = true
    driver.publisherUp()
    driver.consume()
    driver.start(everySecond)
    while driver.started.isEmpty, driver.ticks.count < 200 {
      driver.ack()
      driver.answerStore()
    }
    #expect(driver.ticks.count < 40)
    #expect(driver.started.count == 1)
  }
}
