import Foundation

/// A received message: when, and its identity.
struct Receipt {
  /// Nanoseconds since 1970.
  var received: Int64
  /// The slot of a tick, or the time at which a bare message was sent.
  var nominal: Int64
  /// A hash of its message_id.
  var id: UInt64
  /// The first eight bytes of its message_id.
  var group: UInt64

  var latencyMilliseconds: Double { Double(received - nominal) / 1e6 }

  /// Whether its message_id begins with this text of up to eight bytes.
  func isOf(_ group: String) -> Bool {
    var (rest, isSame) = (self.group.littleEndian, true)
    for byte in group.utf8 {
      isSame = isSame && UInt8(truncatingIfNeeded: rest) == byte
      rest >>= 8
    }
    return isSame
  }
}

/// The bare consumer, on a quorum queue of its own. It reads for every measurement, whoever publishes.
final class Reader {
  private let process: ChildProcess
  /// Nil when only the number is needed.
  private let records: URL?

  /// Starts to read messages with a routing key: `count` of them, or with 0 until `finish`.
  ///
  /// - Parameter isNoted: False not to record each message, when there are too many; there are no receipts then.
  init(_ rig: Rig, key: String, count: Int = 0, isNoted: Bool = true) throws {
    records = isNoted ? rig.folder.appending(path: "records") : nil
    process = try ChildProcess(
      "consumer", rig.client,
      [
        "consume", "--url", rig.url, "--exchange", Rig.exchange, "--key", key, "--queue", "bench.\(UUID())",
        "--count", "\(count)",
      ] + (records.map { ["--records", $0.path()] } ?? []), folder: rig.folder)
    try process.wait(for: "ready", atMost: 30)
  }

  /// Waits until the count has come, and returns the receipts in order.
  func all(atMost seconds: Double) throws -> [Receipt] {
    _ = try process.lastLine(atMost: seconds)
    return try receipts()
  }

  /// Ends reading, and returns the receipts in order.
  func finish() throws -> [Receipt] {
    process.terminate()
    return try all(atMost: 30)
  }

  private func receipts() throws -> [Receipt] {
    guard let records else { return [] }
    return try Data(contentsOf: records).withUnsafeBytes { Array($0.bindMemory(to: Receipt.self)) }
  }
}
