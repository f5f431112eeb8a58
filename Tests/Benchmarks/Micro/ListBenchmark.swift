import EventBus
import Foundation
import Recurrence
import SQLiteStore
import Scheduling

/// Pages of a listing, from the store to the bytes of the reply, in a large database; and the bytes that a schedule takes on
/// disk, also one with a group and tags.
///
/// The time is that of the wall, because the engine's thread waits that long: a first page on a cold cache of SQLite, later
/// ones on a warm one.
struct ListBenchmark {
  private static let pages = 20
  /// As the service reads: a page ends after this.
  private static let readingTime = Duration.milliseconds(2)
  /// One schedule in so many has a group, tags and a description.
  private static let labelledEvery = 10
  private static let largeGroup = "large"

  private let store: SQLiteStore
  private let encoder = EventEncoder(stack: "pocketwatch")

  static func run(_ count: Int) throws {
    print(
      "a page of at most \(Question.List.mostSchedules) and 2 ms of reading, \(count) schedules, wall time of \(pages) pages"
    )
    let folder = FileManager.default.temporaryDirectory.appending(path: "bench-\(UUID())")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    let plain = try bytes(of: folder.appending(path: "plain.sqlite"), count) { _ in false }
    tell("a schedule on disk, beyond id and payload", plain, "bytes")
    let database = folder.appending(path: "labelled.sqlite")
    let mixed = try bytes(of: database, count) { $0 % labelledEvery == 0 }
    tell("  more for one with group, tags, description", (mixed - plain) * Double(labelledEvery), "bytes")
    let benchmark = ListBenchmark(store: try SQLiteStore(path: database.path()))
    try benchmark.measure()
    try benchmark.store.close()
  }

  private func measure() throws {
    try time("all", ScheduleSearch())
    try time("a prefix", ScheduleSearch(prefix: Array("wait-7".utf8)))
    try time("a group of a tenth of those with one", ScheduleSearch(group: Array(Self.largeGroup.utf8)))
    try time("a group of 1000", ScheduleSearch(group: Array("g7".utf8)))
    try time("a rare tag", ScheduleSearch(tag: Array("rare".utf8)))
    try time("paused, of which there are none", ScheduleSearch(lifecycle: .paused))
  }

  /// Page after page, from the beginning again at the end.
  private func time(_ name: String, _ search: ScheduleSearch) throws {
    var list = Question.List(search: search, limit: Question.List.mostSchedules)
    var milliseconds: [Double] = []
    var found = 0
    for _ in 0..<Self.pages {
      milliseconds.append(
        try CallTimer.microseconds {
          let end = ContinuousClock.now + Self.readingTime
          guard case .listed(let page) = store.answer(.list(list), readingIsOver: { ContinuousClock.now > end })
          else { throw BenchError("no page of \(name)") }
          found += page.schedules.count
          let reply = Listed(schedules: page.schedules)
          _ = encoder.encode(.listed(reply), origin: Origin(), at: SendingTime(WallClock.now)).body
          list.last = if case .id(let last)? = page.next { last } else { nil }
        } / 1000)
    }
    Self.tell(
      "\(name), \(found / Self.pages) a page", milliseconds.median, "ms, at most \(rounded(milliseconds.max() ?? 0))")
  }

  // MARK: The database

  private static func bytes(
    of database: URL, _ count: Int, isLabelled: (Int) -> Bool
  ) throws -> Double {
    let now = WallClock.now
    var own = 0
    try SQLiteStore.fill(database, count) { number, generation in
      var schedule = try BenchSchedules.waiting(number, generation: generation, now: now)
      if isLabelled(number) { label(&schedule, number) }
      own += schedule.id.bytes.count + BenchSchedules.payloadBytes
      return schedule
    }
    let size = try FileManager.default.attributesOfItem(atPath: database.path())[.size] as? Int ?? 0
    return Double(size - own) / Double(count)
  }

  private static func label(_ schedule: inout Schedule, _ number: Int) {
    let serial = number / labelledEvery
    schedule.definition.group = serial % 10 == 0 ? largeGroup : "g\(serial / 1000)"
    schedule.definition.tags = serial % 5000 == 1 ? ["billing", "rare"] : ["billing", "nightly"]
    schedule.definition.description = "invoices of tenant \(serial)"
  }

  private static func tell(_ name: String, _ value: Double, _ unit: String) {
    print(name + String(repeating: " ", count: max(1, 48 - name.count)) + "\(rounded(value)) \(unit)")
  }
}

private func rounded(_ value: Double) -> Double { (value * 100).rounded() / 100 }
