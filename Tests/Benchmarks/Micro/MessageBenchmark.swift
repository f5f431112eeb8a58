import Foundation
import Recurrence
import SQLiteStore
import Scheduling

/// Delayed messages of 1 KB: kept, read when due and removed in batches, each committed to disk, beside others that wait.
struct MessageBenchmark {
  private static let batch = 256
  private static let route = MessageRoute(front: "orders.delayed", back: "orders")
  private static let month: Int64 = 30 * 86_400_000

  private let store: SQLiteStore
  private let now = WallClock.now
  private let messages: Int

  /// - Parameters:
  ///   - waiting: How many messages wait, due within a month.
  ///   - messages: How many are kept and removed.
  static func run(waiting: Int, messages: Int) throws {
    let folder = FileManager.default.temporaryDirectory.appending(path: "bench-\(UUID())")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    let path = folder.appending(path: "store.sqlite").path()
    let benchmark = MessageBenchmark(store: try SQLiteStore(path: path), messages: messages)
    print("in batches of \(batch), beside \(waiting) waiting messages")
    try benchmark.fill(waiting)
    try benchmark.measure()
    let left = try benchmark.store.messageTotals().reduce(0) { $0 + $1.messages }
    try benchmark.store.close()
    print("\(left) messages left in \(try fileSize(path) ?? 0) bytes")
  }

  private func fill(_ waiting: Int) throws {
    for first in stride(from: 1, through: waiting, by: 4096) {
      try store.apply(
        (first..<min(first + 4096, waiting + 1)).map { .keep(message(Int64($0), due: scattered(Int64($0)))) })
    }
  }

  private func measure() throws {
    try keep("keep a message due within a month") { scattered($0) }
    try keep("keep a message due in 30 s") { _ in now.advanced(byMilliseconds: 30_000) }
    let due = now.advanced(byMilliseconds: 30_000)
    let page = try CallTimer.microseconds {
      _ = try store.dueMessages(of: Self.route, after: .before(due), through: due, limit: Self.batch)
    }
    Micro.tell("read a due message", page / Double(Self.batch))
    let last = try store.lastMessage()
    try batches("remove a message that is due together") { .remove(last - Int64($0)) }
    let scatteredFirst = last - Int64(messages)
    try batches("remove one of those due within a month") { .remove(scatteredFirst - Int64($0)) }
    let ids = (0..<100).map { Self.id(Int64(1 + $0 * 997)) }
    let lookUp = try CallTimer.microseconds { for id in ids { _ = try store.pendingMessages(withID: id, limit: 10) } }
    Micro.tell("find the messages of an id", lookUp / Double(ids.count))
    let totals = try CallTimer.microseconds { for _ in 0..<100 { _ = try store.messageTotals() } }
    Micro.tell("totals and next due time of a route", totals / 100)
  }

  private func keep(_ name: String, due: (Int64) -> Instant) throws {
    let first = try store.lastMessage() + 1
    try batches(name) { .keep(message(first + Int64($0), due: due(first + Int64($0)))) }
  }

  /// Reports the median and the slowest twentieth of the batches, and the mean, by the clock: commits wait for the disk.
  private func batches(_ name: String, _ change: (Int) -> MessageChange) throws {
    var durations: [Double] = []
    for first in stride(from: 0, to: messages, by: Self.batch) {
      let changes = (first..<min(first + Self.batch, messages)).map(change)
      durations.append(try CallTimer.microseconds { try store.apply(changes) } / Double(changes.count))
    }
    Micro.tell(name, durations.median)
    Micro.tell("  mean", durations.reduce(0, +) / Double(durations.count))
    Micro.tell("  p95", durations.sorted()[durations.count * 95 / 100])
  }

  private func scattered(_ number: Int64) -> Instant {
    let random = UInt64(BenchSchedules.scattered(Int(number)), radix: 16) ?? 0
    return now.advanced(byMilliseconds: 60_000 + Int64(random % UInt64(Self.month)))
  }

  private static func id(_ number: Int64) -> [UInt8] {
    Array("4c5f8f06-9d0e-4f9a-8d7e-\(BenchSchedules.scattered(Int(number)).suffix(12))".utf8)
  }

  private func message(_ number: Int64, due: Instant) -> PendingMessage {
    let key = Array("orders.created".utf8)
    let properties = [UInt8](repeating: 7, count: 120)
    return PendingMessage(
      summary: PendingMessage.Summary(
        sequence: number, route: Self.route, due: due, received: now, routingKey: key, messageID: Self.id(number),
        owner: nil, bytes: key.count + properties.count + 1024),
      content: PendingMessage.Content(properties: properties, body: [UInt8](repeating: 0x61, count: 1024)))
  }
}
