import Recurrence
import Scheduling
import SchedulingTestKit
import Simulation
import Testing

/// Slots computed by the rules of an earlier version are recomputed at the first start after the upgrade.
struct EngineExpressionRulesTests {
  /// Wednesdays on odd days: 25 November, 9 December 2026. Before, every odd day and every Wednesday.
  private let odd = "0 0 */2 * 3"
  private let never = "0 0 30 2 */2"

  private func timing(_ cron: String) throws -> Timing { .cron(try CronExpression(stored: cron)) }

  private func instant(_ text: String) throws -> Instant { try #require(Instant(rfc3339: text)) }

  /// A store as the earlier version left it at noon of 23 November 2026: each live schedule waits for this slot.
  private func store(_ definitions: [Definition], slot: Instant, since: Instant? = nil, missed: Int = 0) throws
    -> MemoryStore
  {
    let store = MemoryStore(rulesVersion: 1)
    for (index, definition) in definitions.enumerated() {
      var schedule = Schedule.live(definition, generation: Int64(index) + 1, slot: slot)
      let nextTick = Schedule.NextTick(
        slot: slot, due: slot, missed: missed, since: definition.timezone == nil ? nil : since)
      schedule.progress.state = .live(nextTick)
      try store.apply([.start(schedule)])
    }
    return store
  }

  @Test(arguments: [nil, "Etc/UTC"])
  func slotMoves(timezone: String?) throws {
    let tuesday = try instant("2026-11-24T00:00:00Z")  // not even a slot of the old rules: whatever it was
    let store = try store(
      [Definition(id: "a", timing: try timing(odd), timezone: timezone)], slot: tuesday, since: .noon)
    var driver = try EngineDriver.connected(store: store)
    let wednesday = try instant("2026-11-25T00:00:00Z")
    #expect(try driver.stored("a")?.nextTick?.slot == wednesday)
    #expect(
      driver.reports.contains {
        if case .slotRecomputed("a", tuesday, wednesday) = $0 { true } else { false }
      })
    #expect(try store.load().rulesVersion == CronExpression.rulesVersion)
    driver.advance(seconds: 40 * 3600)
    #expect(driver.ticks.map(\.slot) == [wednesday])
    #expect(driver.ticks.first?.nextSlot == (try instant("2026-12-09T00:00:00Z")))
  }

  /// Once: the next start has nothing to do, and new stores have nothing at all.
  @Test func isDoneOnce() throws {
    let store = try store([Definition(id: "a", timing: try timing(odd))], slot: try instant("2026-11-25T00:00:00Z"))
    var driver = try EngineDriver.connected(store: store)
    #expect(driver.applied.flatMap(\.self).contains(.followRules(version: CronExpression.rulesVersion)))
    #expect(driver.reports.isEmpty)
    driver = try EngineDriver.connected(store: store)
    #expect(driver.applied.isEmpty)
    driver = try EngineDriver.connected()
    #expect(driver.applied.isEmpty)
  }

  /// Other schedules are unchanged, page after page.
  @Test func onlyWhatChangesMoves() throws {
    let slot = try instant("2026-11-25T00:00:00Z")
    var definitions = try (0..<9).map { Definition(id: "\($0)", timing: try timing("0 0 * * 3")) }
    definitions.append(Definition(id: "every", timing: try Timing(every: "1h")))
    definitions.append(Definition(id: "at", timing: .at(slot)))
    let store = try store(definitions, slot: slot)
    var settings = Engine.Settings()
    settings.duePage = 2
    let driver = try EngineDriver.connected(store: store, settings: settings)
    #expect(driver.applied == [[.followRules(version: CronExpression.rulesVersion)]])
  }

  /// No tick with a slot of the old rules leaves before its review; others do.
  @Test func ticksWait() throws {
    let slot = Instant.second(1)
    let definitions = [
      Definition(id: "a", timing: try timing(odd)), Definition(id: "b", timing: try Timing(every: "1h")),
    ]
    let store = try store(definitions, slot: slot)
    var driver = try EngineDriver(store: store)
    driver.holdsStore = true
    driver.publisherUp()
    driver.advance(seconds: 1)
    while driver.heldRequest != nil { driver.answerStore() }
    driver.holdsStore = false
    driver.advance(seconds: 60)
    #expect(driver.ticks.map(\.definition.id) == ["b"])
  }

  /// A tick that may have been sent before the upgrade is sent again unchanged.
  @Test func slotInDoubtStays() throws {
    let store = try store([Definition(id: "a", timing: try timing(odd))], slot: .second(-5))
    try store.apply([.markInDoubt(through: .noon)])
    var driver = try EngineDriver.connected(store: store)
    #expect(driver.ticks.map(\.slot) == [.second(-5)])
    driver.ack()
    #expect(try driver.stored("a")?.nextTick?.slot == (try instant("2026-11-25T00:00:00Z")))
  }

  /// A schedule without a slot is held and reported, not ended: across restarts and new time zone rules, until a
  /// command.
  @Test(arguments: [nil, "Etc/UTC"])
  func heldWithoutSlot(timezone: String?) throws {
    let definitions = [
      Definition(id: "never", timing: try timing(never), timezone: timezone),
      Definition(
        id: "over", timing: try timing(odd), timezone: timezone, endDate: try instant("2026-11-24T23:00:00Z")),
    ]
    let store = try store(definitions, slot: try instant("2026-11-24T00:00:00Z"), since: .noon)
    for start in 0..<3 as Range<Int64> {
      var driver = try EngineDriver.connected(store: store, at: .second(start * 200_000))
      let held = driver.reports.compactMap {
        if case .heldWithoutSlot(let id, let cron) = $0 { "\(id.text) \(cron)" } else { nil }
      }
      #expect(held.sorted() == (start == 0 ? ["never \(never)", "over \(odd)"] : []))
      driver.receive(.zonesRefreshed(changed: true))
      driver.advance(seconds: 150_000)
      #expect(driver.ticks.isEmpty && driver.stopped.isEmpty)
      for id in ["never", "over"] as [ScheduleID] { #expect(try driver.stored(id)?.nextTick?.isHeld == true) }
    }
    var driver = try EngineDriver.connected(store: store, at: .second(700_000))
    driver.start(Definition(id: "never", timing: try timing(never), timezone: timezone, ifExists: .keep))
    #expect(driver.started.last?.effect == .kept)
    #expect(driver.started.last?.nextSlot == nil && driver.started.last?.hasEnded == false)
    driver.stop("never")
    driver.start(Definition(id: "over", timing: try Timing(every: "1h")))
    driver.ack()
    #expect(driver.stopped.map(\.id) == ["never"])
    #expect(driver.started.last?.effect == .replaced)
    #expect(try driver.stored("never")?.ending?.kind == .stopped)
  }

  /// Later rules may find a slot for it.
  @Test func heldScheduleContinues() throws {
    let store = try store([Definition(id: "a", timing: try timing(odd))], slot: try instant("2026-11-25T00:00:00Z"))
    var held = try #require(try store.schedules(["a"])[0])
    let nextTick = try #require(held.nextTick)
    held.progress.state = .live(Schedule.NextTick(slot: nextTick.slot, due: Schedule.NextTick.heldDue))
    try store.apply([.advance(held.key, from: nextTick.slot, to: held.progress)])
    let driver = try EngineDriver.connected(store: store)
    #expect(try driver.stored("a")?.nextTick == nextTick)
  }

  /// Slots that were folded before the upgrade still count as missed.
  @Test func missedSlotsStayCounted() throws {
    let store = try store(
      [Definition(id: "a", timing: try timing(odd))], slot: try instant("2026-11-24T00:00:00Z"), missed: 3)
    let driver = try EngineDriver.connected(store: store)
    #expect(try driver.stored("a")?.nextTick?.missed == 3)
    #expect(try driver.stored("a")?.nextTick?.slot == (try instant("2026-11-25T00:00:00Z")))
  }
}
