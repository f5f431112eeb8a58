import AMQP
import Foundation
import PocketwatchService
import Recurrence
import SQLiteStore
import Scheduling

/// A group of 100,000 schedules is paused, with a broker that confirms at once: how long that takes the engine's thread, and for
/// how long a turn of it keeps the ticks of others waiting.
struct BatchBenchmark {
  private static let count = 100_000
  /// How many confirms arrive together.
  private static let confirmed = 64

  private let store: SQLiteStore
  private let encoder = MessageEncoder(names: TopologyNames(), sendsUserID: true)
  private var engine: Engine
  private var outstanding: [UInt64] = []
  private var isDone = false
  /// Processor time of each turn in which something was done, in microseconds.
  private var turns: [Double] = []

  static func run() throws {
    let folder = FileManager.default.temporaryDirectory.appending(path: "bench-\(UUID())")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    let database = folder.appending(path: "store.sqlite")
    let every = Timing.every(try DurationExpression("1h"))
    let slot = WallClock.now.advanced(byMilliseconds: 3_600_000)
    try SQLiteStore.fill(database, count) { number, generation in
      var schedule = BenchSchedules.schedule(
        "group-\(BenchSchedules.scattered(number))", every, at: slot, generation: generation)
      schedule.definition.group = "g"
      return schedule
    }
    let store = try SQLiteStore(path: database.path())
    var benchmark = BatchBenchmark(store: store, engine: try Micro.engine(store))
    let wall = CallTimer.microseconds { benchmark.run() }
    let turns = benchmark.turns.sorted()
    print(
      "a group of \(count) paused: \(Int(wall / 1000)) ms, of which \(Int(turns.reduce(0, +) / 1000)) ms of processor time"
    )
    Micro.tell("per schedule", turns.reduce(0, +) / Double(count))
    Micro.tell("a turn of the engine's thread, median", turns.median)
    Micro.tell("  p99", turns[turns.count * 99 / 100])
    Micro.tell("  longest", turns.last ?? 0)
    try store.close()
  }

  private init(store: SQLiteStore, engine: Engine) {
    self.store = store
    self.engine = engine
    encoder.server = ServerInfo(endpoint: "none", user: "guest", frameMax: 131_072)
  }

  private mutating func run() {
    engine.receive(.publisherUp(epoch: 1), at: now)
    engine.receive(.commandsOpened(channel: 1), at: now)
    engine.receive(.commandsExhausted(channel: 1), at: now)
    let command = BatchCommand(
      selector: .group(Array("g".utf8)), action: .pause(end: nil, reason: "bench", time: nil), maximum: Self.count)
    engine.receive(
      .deliveries(
        [
          ReceivedCommand(
            source: .delivery(tag: 1), size: 100, origin: Origin(messageID: [1]),
            content: .batch(command, key: CommandKey(high: 1, low: 1)))
        ], channel: 1), at: now)
    while !isDone || !outstanding.isEmpty {
      turns.append(CallTimer.processorMicroseconds { turn() })
    }
  }

  private mutating func turn() {
    for action in engine.decide(at: now) { perform(action) }
    let confirmed = Array(outstanding.prefix(Self.confirmed))
    outstanding.removeFirst(confirmed.count)
    if !confirmed.isEmpty { engine.receive(.acked(confirmed), at: now) }
  }

  private mutating func perform(_ action: Engine.Action) {
    switch action {
    case .publish(let publications, _, _):
      let batch = encoder.encode(publications, at: now.wall)
      precondition(batch.unsendable.isEmpty)
      outstanding += publications.map(\.number)
      for case .event(.batchDone(let done)) in publications.map(\.content) {
        precondition(done.counts == BatchCounts(matched: Self.count, changed: Self.count))
        isDone = true
      }
    case .store(let request):
      let end = ContinuousClock.now + .milliseconds(2)
      engine.receive(.store(store.answer(request, readingIsOver: { ContinuousClock.now > end })), at: now)
    default: break
    }
  }

  private var now: Now { Now(wall: WallClock.now, uptime: WallClock.nanoseconds / 1_000_000) }
}
