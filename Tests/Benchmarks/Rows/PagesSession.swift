import Foundation
import LoopbackHTTP
import Recurrence
import SQLiteStore
import Scheduling

/// Pages beside many schedules: the time of each, how long a question holds the engine's thread, and what pages and scrapes
/// cost the ticks.
struct PagesSession {
  struct Outcome {
    var burstPerSecond: Double
    /// The 99th percentile of an even load, slot to receipt, in milliseconds.
    var lateness: Double
    /// Milliseconds of each page that was loaded meanwhile.
    var pages: [Double]
  }

  private static let settlingSeconds: Int64 = 20
  private static let loads = 200

  /// The searches whose pages are loaded, with their addresses.
  static let searches: [(path: String, search: ScheduleSearch)] = [
    ("sort=id", ScheduleSearch()), ("sort=next", ScheduleSearch(order: .next)),
    ("state=ended", ScheduleSearch(lifecycle: .ended, order: .end)), ("state=live", ScheduleSearch(lifecycle: .live)),
    ("prefix=wait-8", ScheduleSearch(prefix: Array("wait-8".utf8))),
    ("sort=next&prefix=wait-8", ScheduleSearch(prefix: Array("wait-8".utf8), order: .next)),
    ("state=ended&prefix=none", ScheduleSearch(prefix: Array("none".utf8), lifecycle: .ended, order: .end)),
    ("tag=none", ScheduleSearch(tag: Array("none".utf8))),
  ].map { ("/schedules?\($0.0)", $0.1) }

  let rig: Rig
  let store: WaitingStore
  let seconds: Int
  let burst: Int

  init(_ rig: Rig, count: Int, seconds: Int, burst: Int) throws {
    self.rig = rig
    self.seconds = seconds
    self.burst = burst
    store = try EvenLoad.store(rig.database("pages"), count: count)
    let timing = try EvenLoad.timing()
    let first = WallClock.second(in: 0)
    try SQLiteStore.fill(store.file, count / 50) { number, generation in
      var ended = BenchSchedules.schedule("ended-\(number)", timing, at: first, generation: generation)
      let end = first.advanced(byMilliseconds: -Int64(number))
      ended.progress.state = .ended(.init(reason: number % 2 == 0 ? "enough" : nil, at: end, owesStopped: false))
      return ended
    }
  }

  /// An even load, then a burst beside it; with or without pages.
  func run(withPages: Bool) throws -> Outcome {
    let due = WallClock.second(in: Int64(burst / 10_000) + Self.settlingSeconds + Int64(seconds))
    let begin = due.advanced(byMilliseconds: Int64(-seconds * 1000))
    try SQLiteStore.fill(store.file, burst) { number, generation in
      BenchSchedules.schedule("burst-\(BenchSchedules.scattered(number))", .at(due), at: due, generation: generation)
    }
    let reader = try Reader(rig, key: "Schedule Tick")
    let service = try ServiceUnderTest(rig, database: store.file, servesPages: withPages)
    try service.becomeReady()
    WallClock.wait(until: begin)
    let visitors =
      withPages
      ? Visitors(port: try service.port, token: try service.token, paths: ["/"] + Self.searches.map(\.path)) : nil
    WallClock.wait(until: due.advanced(byMilliseconds: Int64(5000 + burst * 2 / 5)))
    let pages = try visitors?.leave() ?? []
    try service.stop()
    return try judge(try reader.finish(), begin: begin.nanoseconds, due: due.nanoseconds, pages: pages)
  }

  private func judge(_ receipts: [Receipt], begin: Int64, due: Int64, pages: [Double]) throws -> Outcome {
    let steady = receipts.filter { $0.isOf("steady-") && begin <= $0.nominal && $0.nominal < due }
    let drained = receipts.filter { $0.isOf("burst-") }
    guard steady.count == seconds * EvenLoad.perSecond, drained.count == burst, let end = drained.last?.received else {
      throw BenchError("\(steady.count) ticks of an even load and \(drained.count) of a burst came")
    }
    return Outcome(
      burstPerSecond: Double(burst) / (Double(end - due) / 1e9), lateness: Latencies(steady).percentile(99),
      pages: pages)
  }

  /// Milliseconds of each load of each page, beside the even load; the first of each is left out.
  func pageTimes() throws -> [(path: String, milliseconds: [Double])] {
    let service = try ServiceUnderTest(rig, database: store.file)
    try service.becomeReady()
    let client = try LoopbackClient(port: service.port, token: service.token)
    let times = try Self.searches.map { path, _ in
      (path, Array(try (0...Self.loads).map { _ in try client.milliseconds(toGet: path) }.dropFirst()))
    }
    try service.stop()
    return times
  }

  /// Milliseconds of each question of the pages to the engine's thread, at places all over each list.
  func questionTimes() throws -> [Double] {
    let store = try SQLiteStore(path: store.file.path())
    var times: [Double] = []
    for (_, search) in Self.searches {
      var position: ListPosition?
      for _ in 1...Self.loads {
        let begin = WallClock.nanoseconds
        position = try store.list(search, after: position, limit: 50, examining: 250).next
        times.append(Double(WallClock.nanoseconds - begin) / 1e6)
      }
    }
    for _ in 1...Self.loads {
      let begin = WallClock.nanoseconds
      _ = try store.dueCount(through: Instant(milliseconds: .max), upTo: 10_000)
      times.append(Double(WallClock.nanoseconds - begin) / 1e6)
    }
    try store.close()
    return times
  }
}
