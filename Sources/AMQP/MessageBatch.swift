package import Bytes

/// Encoded messages in one block of memory, each with a number that the caller chose.
///
/// They are encoded on the thread that makes them, so that the sending thread has little work.
package struct MessageBatch: Sendable {
  /// The data of a message that is kept until its confirm.
  struct Entry {
    let number: UInt64
    /// The offset at which its frames end.
    let end: Int
    /// Identifies it when it is returned; nil when it is not mandatory.
    let fingerprint: Int?
    /// The broker may refuse it because of these.
    let exchange: String
    let routingKey: String
    let bodyBytes: Int
  }

  /// Adjacent messages of a batch.
  package struct Slice {
    let batch: MessageBatch
    let entries: Range<Int>

    package var numbers: [UInt64] { batch.entries[entries].map(\.number) }
    var bytes: Range<Int> { batch.start(of: entries.lowerBound)..<batch.start(of: entries.upperBound) }
  }

  /// The encoded frames, shared by the copies of a batch.
  private final class Frames: Sendable {
    let bytes: ByteWriter

    init(_ bytes: consuming ByteWriter) { self.bytes = bytes }
  }

  private let frames: Frames
  let entries: [Entry]
  /// Messages that do not fit into frames. They are not among the entries.
  package let unsendable: [(number: UInt64, error: AMQPError)]

  /// - Parameters:
  ///   - frameMax: The negotiated maximum frame size, see `ServerInfo`.
  ///   - capacity: The approximate number of messages.
  package init(frameMax: Int, capacity: Int = 1, _ fill: (inout Filling) -> Void) {
    var filling = Filling(frameMax: frameMax, capacity: capacity)
    fill(&filling)
    (entries, unsendable) = (filling.entries, filling.unsendable)
    assert((entries.last?.end ?? 0) == filling.frames.bytes.count, "bytes without an entry")
    assert(zip(entries, entries.dropFirst()).allSatisfy { $0.end < $1.end }, "entries are out of order")
    frames = Frames(filling.frames.bytes)
  }

  /// Collects the messages of a batch.
  package struct Filling: ~Copyable {
    fileprivate var frames: FrameWriter
    fileprivate var entries: [Entry] = []
    fileprivate var unsendable: [(number: UInt64, error: AMQPError)] = []

    fileprivate init(frameMax: Int, capacity: Int) {
      frames = FrameWriter(frameMax: frameMax, capacity: capacity * MessageBatch.usualBytes)
      entries.reserveCapacity(capacity)
    }

    package mutating func add(_ message: Message, number: UInt64) {
      add(
        number: number, exchange: message.exchange, routingKey: message.routingKey, mandatory: message.mandatory,
        { $0.append(message.properties) }, body: { $0.append(message.body) })
    }

    /// Adds a message of another client, to be sent on.
    package mutating func add(_ message: RawMessage, number: UInt64) {
      add(
        number: number, exchange: message.exchange, routingKey: .bytes(message.routingKey),
        mandatory: message.mandatory, { $0.append(message.properties) }, body: { $0.append(message.body) })
    }

    /// Adds a message. `properties` writes its properties in the order of their flags, `body` its body.
    package mutating func add(
      number: UInt64, exchange: String, routingKey: String, mandatory: Bool,
      _ properties: (inout FrameWriter) -> Void, body: (inout ByteWriter) -> Void
    ) {
      add(
        number: number, exchange: exchange, routingKey: .text(routingKey), mandatory: mandatory, properties, body: body)
    }

    private mutating func add(
      number: UInt64, exchange: String, routingKey: ShortString, mandatory: Bool,
      _ properties: (inout FrameWriter) -> Void, body: (inout ByteWriter) -> Void
    ) {
      do {
        let (fingerprint, bodyBytes) = try frames.write(
          exchange: exchange, routingKey: routingKey, mandatory: mandatory, properties, body: body)
        entries.append(
          Entry(
            number: number, end: frames.bytes.count, fingerprint: fingerprint, exchange: exchange,
            routingKey: routingKey.asText, bodyBytes: bodyBytes))
      } catch {
        unsendable.append((number, error))
      }
    }
  }

  /// The size of a tick without a long payload. A wrong estimate costs one copy.
  fileprivate static let usualBytes = 1024

  package var isEmpty: Bool { entries.isEmpty && unsendable.isEmpty }

  /// All frames of all messages.
  package func withBytes<Result>(_ body: (UnsafeRawBufferPointer) throws -> Result) rethrows -> Result {
    try frames.bytes.withBytes(body)
  }

  /// The offset at which the frames of a message begin.
  func start(of index: Int) -> Int { index == 0 ? 0 : entries[index - 1].end }
}

/// Identifies a returned message: a hash of its address and id.
enum MessageFingerprint {
  /// - Parameters:
  ///   - address: exchange and routing key, as short strings.
  ///   - messageID: empty when there is none.
  static func of(_ address: Slice<UnsafeRawBufferPointer>, _ messageID: Slice<UnsafeRawBufferPointer>) -> Int {
    var hasher = Hasher()
    hasher.combine(bytes: UnsafeRawBufferPointer(rebasing: address))
    hasher.combine(bytes: UnsafeRawBufferPointer(rebasing: messageID))
    return hasher.finalize()
  }
}

extension ReturnedMessage {
  /// Equal to that of the published message.
  var fingerprint: Int {
    var bytes = ByteWriter(capacity: 1024)
    bytes.append(shortString: exchange)
    bytes.append(shortString: routingKey)
    let address = 0..<bytes.count
    bytes.append(properties.messageID ?? [])
    return bytes.withBytes { MessageFingerprint.of($0[address], $0[address.upperBound...]) }
  }
}
