import AMQP
import Foundation
import PocketwatchService
import Recurrence
import SQLiteStore
import Scheduling

/// A tick's whole path through the engine's thread, from its row to the bytes for the socket and back to its row, with a
/// broker that confirms at once: the cost of a burst without a broker's share of the processors.
struct TickBenchmark {
  private static let count = 20_000
  /// How many confirms arrive together.
  private static let confirmed = 64

  private let store: SQLiteStore
  private let encoder = MessageEncoder(names: TopologyNames(), sendsUserID: true)
  private var engine: Engine
  /// Published and not confirmed.
  private var outstanding: [UInt64] = []
  private var ticks = 0
  private var encodingMicroseconds = 0.0

  static func run() throws {
    let hour = try DurationExpression("1h")
    try tell("recurring") { _ in .every(hour) }
    try tell("one-shot") { .at($0) }
  }

  private static func tell(_ name: String, _ timing: (Instant) -> Timing) throws {
    let outcomes = try (0..<CallTimer.runs).map { _ in try measure(timing) }
    Micro.tell("way of a \(name) tick", outcomes.map(\.way).median)
    Micro.tell("  of that: encode it for the socket", outcomes.map(\.encoding).median)
  }

  private static func measure(_ timing: (Instant) -> Timing) throws -> (way: Double, encoding: Double) {
    let folder = FileManager.default.temporaryDirectory.appending(path: "bench-\(UUID())")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    let due = WallClock.now
    let timing = timing(due)
    let database = folder.appending(path: "store.sqlite")
    try SQLiteStore.fill(database, count) { number, generation in
      BenchSchedules.schedule("burst-\(BenchSchedules.scattered(number))", timing, at: due, generation: generation)
    }
    let store = try SQLiteStore(path: database.path())
    var benchmark = TickBenchmark(store: store, engine: try Micro.engine(store))
    let way = CallTimer.processorMicroseconds { benchmark.run() } / Double(count)
    try store.close()
    return (way, benchmark.encodingMicroseconds / Double(count))
  }

  private init(store: SQLiteStore, engine: Engine) {
    self.store = store
    self.engine = engine
    encoder.server = ServerInfo(endpoint: "none", user: "guest", frameMax: 131_072)
  }

  private mutating func run() {
    engine.receive(.publisherUp(epoch: 1), at: now)
    while ticks < Self.count || !outstanding.isEmpty {
      for action in engine.decide(at: now) { perform(action) }
      let confirmed = Array(outstanding.prefix(Self.confirmed))
      outstanding.removeFirst(confirmed.count)
      if !confirmed.isEmpty { engine.receive(.acked(confirmed), at: now) }
    }
    engine.receive(.drain, at: now)
    for action in engine.decide(at: now) { perform(action) }
  }

  private mutating func perform(_ action: Engine.Action) {
    switch action {
    case .publish(let publications, _, _):
      ticks += publications.count
      encodingMicroseconds += CallTimer.processorMicroseconds {
        let batch = encoder.encode(publications, at: now.wall)
        outstanding += publications.map(\.number)
        precondition(batch.unsendable.isEmpty)
      }
    case .store(let request): engine.receive(.store(store.answer(request)), at: now)
    default: break
    }
  }

  private var now: Now { Now(wall: WallClock.now, uptime: WallClock.nanoseconds / 1_000_000) }
}
