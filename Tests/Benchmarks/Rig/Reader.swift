import Foundation

/// A message that came: when, and what it says of itself.
struct Receipt {
  /// Nanoseconds since 1970.
  var received: Int64
  /// The slot of a tick; of a bare message when it was sent.
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

/// The bare consumer, on a quorum queue of its own. All that it measures is read by it, whoever published.
final class Reader {
  private let process: ChildProcess
  /// Nil when only the number counts.
  private let records: URL?

  /// Starts to read what is published under a key: so many messages, or with 0 until `finish`.
  ///
  /// - Parameter isNoted: False not to note each message, when there are too many; there are no receipts then.
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
