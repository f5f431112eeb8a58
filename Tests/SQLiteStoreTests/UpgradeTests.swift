import Foundation
import GRDB
import Recurrence
import Scheduling
import SchedulingTestKit
import Testing

@testable import SQLiteStore

/// Databases of released versions, stored as SQL: this version must open each, with all its content.
@Suite("SQLiteStore upgrades")
struct UpgradeTests {
  let directory: TemporaryDirectory
  var path: String { directory.file("schedules.sqlite") }

  init() throws {
    directory = try TemporaryDirectory()
  }

  @Test("a database with an earlier schema", arguments: Release.allCases)
  func earlier(_ release: Release) throws {
    try make(release)
    #expect(try SQLiteStore.examine(path: path) == release.schedules().count)
    let store = try SQLiteStore(path: path)
    #expect(try store.allByID(pageSize: 10) == release.schedules())
    let live = try store.due(after: nil, through: .last, limit: 10).schedules
    #expect(live.map(\.generation) == [3, 2])
    #expect(try store.followingZones(after: nil, limit: 10).map(\.generation) == [2])
    #expect(try store.owing(after: 0, limit: 10).map(\.generation) == [4])
    #expect(try store.counts() == ScheduleCounts(live: 2, ended: release.schedules().count - 2))
    #expect(try store.remembered(Release.commands.map(\.key)) == Release.commands)
    #expect(
      try store.load()
        == PersistentState(
          lastGeneration: 9, inDoubtThrough: Instant(milliseconds: 1_795_000_030_000), secret: SipHash.Key(1, .max),
          rulesVersion: 1))
    let history = try store.history(of: ScheduleID(stored: Array("cron".utf8)))
    #expect(history == (release == .v3 ? Release.history : Schedule.History()))
  }

  /// A released migration is never edited; a change of the schema is a new migration.
  @Test("a migration stays as it was released", arguments: Release.allCases)
  func frozen(_ release: Release) throws {
    try make(release)
    let released = try layout()
    let queue = try DatabaseQueue(path: directory.file("new.sqlite"))
    try Schema.migrator.migrate(queue, upTo: release.rawValue)
    try queue.close()
    #expect(try layout(of: "new.sqlite") == released)
  }

  @Test("an upgraded database has the schema of a new one", arguments: Release.allCases)
  func upgradedIsLikeNew(_ release: Release) throws {
    try make(release)
    try SQLiteStore(path: path).close()
    try SQLiteStore(path: directory.file("new.sqlite")).close()
    #expect(try layout() == layout(of: "new.sqlite"))
  }

  /// At the first start, slots are recomputed that an earlier version found by other rules: of day fields with a `*`, of minutes
  /// or hours with every value. A schedule that no longer fires is held.
  @Test("slots of an earlier schema version follow the rules of this version", arguments: Release.allCases)
  func rules(_ release: Release) throws {
    try make(release)
    let queue = try DatabaseQueue(path: path)
    try queue.write { database in
      // Sunday 29 November 2026, midnight; the last tick was a day before. Nothing is in doubt.
      let table = release == .v3 ? "progress" : "schedule"
      try database.execute(
        sql: """
          UPDATE recollection SET inDoubtThrough = 0;
          UPDATE schedule SET cron = '0 0 30 2 */2', timezone = NULL WHERE id = CAST('cron' AS BLOB);
          UPDATE \(table) SET slot = 1795910400000, due = 1795910400000, missed = 0, since = NULL WHERE generation = 2;
          UPDATE schedule SET every = NULL, cron = '0 0 */2 * 3', endDate = NULL WHERE id = CAST('every' AS BLOB);
          UPDATE \(table) SET slot = 1795910400000, due = 1795910400000, missed = 0 WHERE generation = 3;
          """)
    }
    try queue.close()
    let store = try SQLiteStore(path: path)
    let now = Now(wall: Instant(milliseconds: 1_795_867_200_000), uptime: 1)
    for isFirst in [true, false] {
      let archive = CommandArchive()
      var engine = Engine(persistentState: try store.load(), zones: { _ in .utc }, decode: archive.decode)
      let reports = run(&engine, on: store, at: now)
      #expect(reports.count == (isFirst ? 2 : 0), "\(reports)")
      #expect(try store.load().rulesVersion == CronExpression.rulesVersion)
      let stored = try store.schedules(["cron", "every"].map { ScheduleID(stored: Array($0.utf8)) })
      #expect(stored[0]?.nextTick?.isHeld == true)
      #expect(stored[1]?.nextTick?.slot == Instant(rfc3339: "2026-12-09T00:00:00Z"))
    }
  }

  /// Runs the engine's store requests until there are none, and returns its reports about slots.
  private func run(_ engine: inout Engine, on store: SQLiteStore, at now: Now) -> [Engine.Report] {
    var reports: [Engine.Report] = []
    var isBusy = true
    while isBusy {
      isBusy = false
      for action in engine.decide(at: now) {
        switch action {
        case .store(let request):
          engine.receive(.store(store.answer(request)), at: now)
          isBusy = true
        case .report(let some):
          reports += some.filter {
            switch $0 {
            case .slotRecomputed, .heldWithoutSlot: true
            default: false
            }
          }
        default: break
        }
      }
    }
    return reports
  }

  private func make(_ release: Release) throws {
    let queue = try DatabaseQueue(path: path)
    try queue.write { try $0.execute(sql: try release.sql) }
    try queue.close()
  }

  private func layout(of name: String = "schedules.sqlite") throws -> [String] {
    let queue = try DatabaseQueue(path: directory.file(name))
    let statements = try queue.read { database in
      try String.fetchAll(database, sql: "SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL ORDER BY name")
    }
    try queue.close()
    // White space and comments may differ: they mean nothing.
    return statements.map { statement in
      let lines = statement.split(separator: "\n").filter { !$0.contains("--") }
      return lines.joined(separator: " ").split(separator: " ").joined(separator: " ")
    }
  }
}

/// A released schema version, with the content of its file in `Releases`.
enum Release: String, CaseIterable {
  case v1, v2, v3

  var sql: String {
    get throws {
      let url = try #require(Bundle.module.url(forResource: rawValue, withExtension: "sql", subdirectory: "Releases"))
      return try String(contentsOf: url, encoding: .utf8)
    }
  }

  static let commands = [
    RememberedCommand(
      key: CommandKey(high: 1, low: 2), at: Instant(milliseconds: 1_795_000_000_000),
      answer: .started(generation: 2, effect: .replaced)),
    RememberedCommand(
      key: CommandKey(high: .max, low: 0), at: Instant(milliseconds: 1_795_000_000_001), answer: .stopped(generation: 6)
    ),
    RememberedCommand(
      key: CommandKey(high: 0x0102_0304_0506_0708, low: 0x090a_0b0c_0d0e_0f10),
      at: Instant(milliseconds: 1_795_000_000_002),
      answer: .rejected(field: "id", reason: "no such schedule", isOfState: true)),
  ]

  /// Of the schedule `cron`: what it had sent counted jitter as lateness.
  static let history = Schedule.History(
    beginning: Schedule.Beginning(at: Instant(milliseconds: 1_795_000_000_500)),
    tally: Schedule.Tally(
      missed: 1, repeats: 2, refusals: 3, returns: 4,
      last: Schedule.Tally.Last(
        slot: Instant(milliseconds: 1_795_000_100_000), latenessMilliseconds: 250, confirmationMilliseconds: 7)))

  /// The schedules by id.
  func schedules() throws -> [Schedule] {
    let base = Instant(milliseconds: 1_795_000_000_000)
    var definition = try Definition(
      id: ScheduleID(stored: Array("cron".utf8)), timing: .cron(CronExpression("30 * * * *")), limit: 10,
      timezone: "Europe/Rome", startDate: base, endDate: Instant(milliseconds: 1_796_000_000_000),
      jitter: DurationExpression("5m"), payload: Array(#"{"any": 1.0}"#.utf8))
    if self != .v1 {
      definition.misfirePolicy = .fireAll
      definition.catchupWindow = try DurationExpression("PT1H")
      definition.ifExists = .keep
    }
    let origin = Origin(
      messageID: [0, 255], userID: self == .v3 ? "billing" : nil, traceparent: "00-trace-parent-01", tracestate: "a=b")
    let nextTick = Schedule.NextTick(
      slot: base.advanced(byMilliseconds: 200_000), due: base.advanced(byMilliseconds: 200_250), missed: 7,
      since: base.advanced(byMilliseconds: 100_000))
    let before1970 = Instant(milliseconds: -1)
    var cron = Schedule(definition: definition, origin: origin, generation: 2, counter: 3, state: .live(nextTick))
    cron.declaration.isLasting = self != .v1
    var lasting = try plain(
      "lasting", .every(DurationExpression("1h")), 7, counter: 1, limit: 1,
      .ended(
        .init(reason: "Count Limit Reached", at: base.advanced(byMilliseconds: 3), owesStopped: false, kind: .lasting)))
    lasting.definition.ifExists = .replaceIfChanged
    lasting.declaration.isLasting = true
    let others = try [
      cron,
      plain(
        "every", .every(DurationExpression("1h 30m")), 3, counter: 0, .live(.init(slot: before1970, due: before1970))),
      plain(
        "fired", .duration(DurationExpression("PT5M")), 5, counter: 1,
        .ended(.init(reason: nil, at: base.advanced(byMilliseconds: 1), owesStopped: false))),
      plain(
        "owing", .cron(CronExpression("* * * * *")), 4, counter: 1, limit: 1, payload: Array("null".utf8),
        .ended(.init(reason: "Count Limit Reached", at: base, owesStopped: true, kind: .finished))),
      plain(
        "e\u{301}", .at(base), 6, counter: 0,
        .ended(.init(reason: "", at: base.advanced(byMilliseconds: 2), owesStopped: false))),
    ]
    return ((self == .v3 ? [lasting] : []) + others).sorted { $0.id < $1.id }
  }

  private func plain(
    _ id: String, _ timing: Timing, _ generation: Int64, counter: Int64, limit: Int64? = nil, payload: [UInt8]? = nil,
    _ state: Schedule.State
  ) -> Schedule {
    Schedule(
      definition: Definition(id: ScheduleID(stored: Array(id.utf8)), timing: timing, limit: limit, payload: payload),
      origin: Origin(), generation: generation, counter: counter, state: state)
  }
}
