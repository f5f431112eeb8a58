package import Bytes

/// Messages as they go over the wire, one behind the other, each under a number of the caller's own choice.
///
/// They are encoded where they are made, into one piece of memory, so that the thread that sends them has next to nothing to
/// do.
package struct MessageBatch: Sendable {
  /// One message, and what is kept of it until its confirm.
  struct Entry {
    let number: UInt64
    /// Where its frames end.
    let end: Int
    /// Tells it from others when it is returned; nil when it cannot be.
    let fingerprint: Int?
    /// By these the broker may refuse it.
    let exchange: String
    let routingKey: String
    let bodyBytes: Int
  }

  /// Some that stand together.
  package struct Slice {
    let batch: MessageBatch
    let entries: Range<Int>

    package var numbers: [UInt64] { batch.entries[entries].map(\.number) }
    var bytes: Range<Int> { batch.start(of: entries.lowerBound)..<batch.start(of: entries.upperBound) }
  }

  /// Shared by the copies of a batch.
  private final class Frames: Sendable {
    let bytes: ByteWriter

    init(_ bytes: consuming ByteWriter) { self.bytes = bytes }
  }

  private let frames: Frames
  let entries: [Entry]
  /// Those that fit into no frame; they are not among the others.
  package let unsendable: [(number: UInt64, error: AMQPError)]

  /// - Parameters:
  ///   - frameMax: the largest frame that was agreed on with the broker, see `ServerInfo`.
  ///   - capacity: how many messages there will be, about.
  package init(frameMax: Int, capacity: Int = 1, _ fill: (inout Filling) -> Void) {
    var filling = Filling(frameMax: frameMax, capacity: capacity)
    fill(&filling)
    (entries, unsendable) = (filling.entries, filling.unsendable)
    frames = Frames(filling.frames.bytes)
  }

  /// A batch that is being put together.
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

    /// Adds a message of which `properties` writes the properties, in the order of their flags, and `body` the body.
    package mutating func add(
      number: UInt64, exchange: String, routingKey: String, mandatory: Bool,
      _ properties: (inout FrameWriter) -> Void, body: (inout ByteWriter) -> Void
    ) {
      do {
        let (fingerprint, bodyBytes) = try frames.write(
          exchange: exchange, routingKey: routingKey, mandatory: mandatory, properties, body: body)
        entries.append(
          Entry(
            number: number, end: frames.bytes.count, fingerprint: fingerprint, exchange: exchange,
            routingKey: routingKey, bodyBytes: bodyBytes))
      } catch {
        unsendable.append((number, error))
      }
    }
  }

  /// Of a tick without a long payload: a guess that costs no more than a copy when it is wrong.
  fileprivate static let usualBytes = 1024

  package var isEmpty: Bool { entries.isEmpty && unsendable.isEmpty }

  /// All frames of all messages.
  package func withBytes<Result>(_ body: (UnsafeRawBufferPointer) throws -> Result) rethrows -> Result {
    try frames.bytes.withBytes(body)
  }

  /// Where the frames of a message begin.
  func start(of index: Int) -> Int { index == 0 ? 0 : entries[index - 1].end }
}

/// What tells a message from others when it is returned: a hash of its address and id.
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
  /// The same as the message's own.
  var fingerprint: Int {
    var bytes = ByteWriter(capacity: 1024)
    bytes.append(shortString: exchange)
    bytes.append(shortString: routingKey)
    let address = 0..<bytes.count
    bytes.append(properties.messageID ?? [])
    return bytes.withBytes { MessageFingerprint.of($0[address], $0[address.upperBound...]) }
  }
}
