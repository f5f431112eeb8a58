/// The name that a client gave its schedule: 1 to 200 bytes of UTF-8 without control characters.
///
/// Stored as bytes because ids compare byte for byte: Swift's `String` treats a composed and a decomposed "é" as equal,
/// SQLite and RabbitMQ do not.
package struct ScheduleID: Hashable, Sendable {
  /// The longest id in bytes.
  package static let maximumLength = 200

  package let bytes: [UInt8]

  /// An id from the store. New ids are validated by `init(validating:)`.
  package init(stored bytes: [UInt8]) {
    self.bytes = bytes
  }

  /// A client's id; nil if it is empty, too long, or contains a control character (U+0000–1F, 7F–9F).
  package init?(validating text: String) {
    let utf8 = text.utf8
    guard !utf8.isEmpty, utf8.count <= Self.maximumLength else { return nil }
    guard !text.unicodeScalars.contains(where: { 0...0x1F ~= $0.value || 0x7F...0x9F ~= $0.value }) else { return nil }
    bytes = Array(utf8)
  }

  /// Hashes all bytes at once: an array's own hash takes them one by one.
  package func hash(into hasher: inout Hasher) {
    bytes.withUnsafeBytes { hasher.combine(bytes: $0) }
  }

  /// The id as text, for events and logs.
  package var text: String { String(decoding: bytes, as: UTF8.self) }
}

extension ScheduleID: Comparable {
  package static func < (left: ScheduleID, right: ScheduleID) -> Bool {
    left.bytes.lexicographicallyPrecedes(right.bytes)
  }
}
