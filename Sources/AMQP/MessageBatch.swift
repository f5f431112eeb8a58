import Bytes

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
    frames = Frames(filling.frames)
  }

  /// A batch that is being put together.
  package struct Filling: ~Copyable {
    private let frameMax: Int
    fileprivate var frames: ByteWriter
    fileprivate var entries: [Entry] = []
    fileprivate var unsendable: [(number: UInt64, error: AMQPError)] = []

    fileprivate init(frameMax: Int, capacity: Int) {
      self.frameMax = frameMax
      frames = ByteWriter(capacity: capacity * MessageBatch.usualBytes)
      entries.reserveCapacity(capacity)
    }

    package mutating func add(_ message: Message, number: UInt64) {
      do {
        try message.validate(frameMax: frameMax)
      } catch {
        unsendable.append((number, error))
        return
      }
      frames.append(message, frameMax: frameMax)
      let fingerprint = message.mandatory ? MessageBatch.fingerprint(of: message) : nil
      entries.append(Entry(number: number, end: frames.count, fingerprint: fingerprint))
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

  fileprivate static func fingerprint(of message: Message) -> Int {
    var (exchange, routingKey) = (message.exchange, message.routingKey)
    return exchange.withUTF8 { exchange in
      routingKey.withUTF8 { fingerprint(exchange, $0, message.properties.messageID) }
    }
  }

  fileprivate static func fingerprint(
    _ exchange: UnsafeBufferPointer<UInt8>, _ routingKey: UnsafeBufferPointer<UInt8>, _ messageID: [UInt8]?
  ) -> Int {
    var hasher = Hasher()
    hasher.combine(exchange.count)
    hasher.combine(bytes: UnsafeRawBufferPointer(exchange))
    hasher.combine(routingKey.count)
    hasher.combine(bytes: UnsafeRawBufferPointer(routingKey))
    // All bytes at once: an array's own hash takes them one by one.
    messageID?.withUnsafeBytes { hasher.combine(bytes: $0) }
    return hasher.finalize()
  }
}

extension ReturnedMessage {
  /// The same as the message's own.
  var fingerprint: Int {
    var exchange = exchange
    return exchange.withUTF8 { exchange in
      routingKey.withUnsafeBufferPointer { MessageBatch.fingerprint(exchange, $0, properties.messageID) }
    }
  }
}
