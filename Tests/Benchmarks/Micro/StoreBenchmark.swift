import Foundation
import Recurrence
import SQLiteStore
import Scheduling

/// The engine's requests to the store, in batches of 256, each committed to disk; reported per schedule of a batch.
struct StoreBenchmark {
  private static let batch = 256
  private static let batches = 40
  private static let waiting = 100_000

  private let store: SQLiteStore
  private let now = WallClock.now

  static func run() throws {
    let folder = FileManager.default.temporaryDirectory.appending(path: "bench-\(UUID())")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    let benchmark = StoreBenchmark(store: try SQLiteStore(path: folder.appending(path: "store.sqlite").path()))
    try benchmark.measure()
    try benchmark.store.close()
  }

  private func measure() throws {
    print("in a batch of \(Self.batch), beside \(Self.waiting) waiting schedules")
    let now = now
    try store.fill(Self.waiting) { try BenchSchedules.waiting($0, generation: $1, now: now) }
    let every = Timing.every(try DurationExpression("1h"))
    let recurring = try filled("recurring", every)
    try time("read due schedules") { batch in
      let last = batch > 0 ? recurring[batch * Self.batch - 1].position : nil
      _ = try store.due(after: last, through: .end(of: .bus, due: now), limit: Self.batch)
    }
    try time("advance a recurring schedule") { batch in
      try store.apply(part(batch, of: recurring).map { advance($0, to: later) })
    }
    let ended = Schedule.State.ended(.init(reason: nil, at: now, owesStopped: false))
    let once = try filled("once", .at(now))
    try time("end a one-shot") { batch in
      try store.apply(part(batch, of: once).map { advance($0, to: ended) })
    }
    try measureStarts(every)
  }

  private func measureStarts(_ timing: Timing) throws {
    let first = try store.load().lastGeneration + 1
    let new = schedules("new", timing, firstGeneration: first)
    let keys = new.map { CommandKey(messageID: $0.id.bytes, body: [], secret: .init(1, 2)) }
    try time("look for a new id and its command") { batch in
      _ = try store.schedules(part(batch, of: new).map(\.id))
      _ = try store.remembered(Array(part(batch, of: keys)))
    }
    try time("start a schedule and remember the command") { batch in
      try store.apply(
        zip(part(batch, of: new), part(batch, of: keys)).flatMap { schedule, key -> [Change] in
          let answer = RememberedCommand.Answer.started(generation: schedule.generation, effect: .created)
          return [.start(schedule), .remember(RememberedCommand(key: key, at: now, answer: answer))]
        })
    }
  }

  private func time(_ name: String, _ body: (_ batch: Int) throws -> Void) throws {
    let durations = try (0..<Self.batches).map { batch in
      try CallTimer.microseconds { try body(batch) } / Double(Self.batch)
    }
    Micro.tell(name, durations.median)
  }

  private func filled(_ name: String, _ timing: Timing) throws -> [Schedule] {
    let schedules = schedules(name, timing, firstGeneration: try store.load().lastGeneration + 1)
    try store.apply(schedules.map { .start($0) })
    return schedules
  }

  private func schedules(_ name: String, _ timing: Timing, firstGeneration: Int64) -> [Schedule] {
    (0..<Self.batch * Self.batches).map { number in
      BenchSchedules.schedule(
        "\(name)-\(BenchSchedules.scattered(number))", timing, at: now, generation: firstGeneration + Int64(number))
    }
  }

  private func part<Element>(_ batch: Int, of all: [Element]) -> ArraySlice<Element> {
    all[batch * Self.batch..<(batch + 1) * Self.batch]
  }

  private var later: Schedule.State {
    let slot = now.advanced(byMilliseconds: 3_600_000)
    return .live(.init(slot: slot, due: slot))
  }

  private func advance(_ schedule: Schedule, to state: Schedule.State) -> Change {
    .advance(schedule.key, from: now, to: Schedule.Progress(state: state, counter: 1))
  }
}
