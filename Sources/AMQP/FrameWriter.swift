import Bytes
import CRabbitMQ

/// Writes messages as consecutive frames: a method, a header with the properties, and as many body frames as needed (AMQP
/// 0-9-1, section 4.2).
///
/// The caller's closures write properties and body in place, without a copy. A message that does not fit into frames is
/// removed whole and reported by an error: half a message closes the connection.
package struct FrameWriter: ~Copyable {
  var bytes: ByteWriter
  private let frameMax: Int
  /// State of the message being written: its property flags, the range of its id, and why it cannot be sent.
  var flags: CInt = 0
  var messageID = 0..<0
  private var failure: AMQPError?

  init(frameMax: Int, capacity: Int) {
    self.frameMax = frameMax
    bytes = ByteWriter(capacity: capacity)
  }

  /// Writes a message. Returns its fingerprint, nil unless it is mandatory, and the size of its body.
  mutating func write(
    exchange: String, routingKey: ShortString, mandatory: Bool, _ properties: (inout FrameWriter) -> Void,
    body: (inout ByteWriter) -> Void
  ) throws(AMQPError) -> (fingerprint: Int?, bodyBytes: Int) {
    let start = bytes.count
    (flags, messageID, failure) = (0, 0..<0, nil)
    let address = writeMethod(exchange: exchange, routingKey: routingKey, mandatory: mandatory)
    let sizeOffset = writeHeader(properties)
    if let failure {
      bytes.truncate(to: start)
      throw failure
    }
    let size = writeBody(body)
    bytes.put(bigEndian: UInt64(size), at: sizeOffset)
    let fingerprint = mandatory ? bytes.withBytes { MessageFingerprint.of($0[address], $0[messageID]) } : nil
    return (fingerprint, size)
  }

  /// Returns the range of exchange and routing key.
  private mutating func writeMethod(exchange: String, routingKey: ShortString, mandatory: Bool) -> Range<Int> {
    let frame = beginFrame(AMQP_FRAME_METHOD)
    bytes.append(bigEndian: UInt32(AMQP_BASIC_PUBLISH_METHOD))
    bytes.append(bigEndian: UInt16(0))  // reserved
    let address = bytes.count
    appendShort(exchange, "exchange")
    switch routingKey {
    case .text(let text): appendShort(text, "routing key")
    case .bytes(let bytes): appendShort(bytes, "routing key")
    }
    let addressEnd = bytes.count
    bytes.append(mandatory ? 1 : 0)
    endFrame(frame)
    return address..<addressEnd
  }

  /// Returns the offset at which the size of the body is to be written.
  private mutating func writeHeader(_ properties: (inout FrameWriter) -> Void) -> Int {
    let frame = beginFrame(AMQP_FRAME_HEADER)
    bytes.append(bigEndian: UInt16(AMQP_BASIC_CLASS))
    bytes.append(bigEndian: UInt16(0))  // weight, unused
    let sizeOffset = bytes.count
    bytes.append(bigEndian: UInt64(0))
    let flagsOffset = bytes.count
    bytes.append(bigEndian: UInt16(0))
    let begin = bytes.count
    properties(&self)
    let (size, room) = (bytes.count - begin, frameMax - MessageFrame.overhead - (begin - frame - 4))
    if size > room {
      fail("its properties take \(size) bytes; a frame of this broker has room for \(room)")
    }
    bytes.put(bigEndian: UInt16(flags), at: flagsOffset)
    endFrame(frame)
    return sizeOffset
  }

  /// Returns the size of the body.
  private mutating func writeBody(_ body: (inout ByteWriter) -> Void) -> Int {
    let start = bytes.count
    let frame = beginFrame(AMQP_FRAME_BODY)
    let begin = bytes.count
    body(&bytes)
    let size = bytes.count - begin
    let room = frameMax - MessageFrame.overhead
    if size == 0 {
      bytes.truncate(to: start)
    } else if size <= room {
      endFrame(frame)
    } else {  // rare, so a copy is acceptable
      let whole = bytes.withBytes { Array($0[begin...]) }
      bytes.truncate(to: start)
      for part in stride(from: 0, to: size, by: room) {
        let frame = beginFrame(AMQP_FRAME_BODY)
        whole[part..<min(part + room, size)].withUnsafeBytes { bytes.append($0) }
        endFrame(frame)
      }
    }
    return size
  }

  /// Begins a frame of the channel. Returns the offset at which its length is to be written.
  private mutating func beginFrame(_ type: CInt) -> Int {
    bytes.append(UInt8(type))
    bytes.append(bigEndian: Connection.channel)
    return bytes.beginCounted()
  }

  private mutating func endFrame(_ offset: Int) {
    bytes.endCounted(offset)
    bytes.append(UInt8(AMQP_FRAME_END))
  }

  /// Notes why the message cannot be sent. The first reason stays.
  mutating func fail(_ reason: String) {
    failure = failure ?? AMQPError(.invalidMessage, reason)
  }
}

/// A short string to write.
enum ShortString {
  case text(String)
  case bytes([UInt8])

  /// Invalid UTF-8 becomes U+FFFD.
  var asText: String {
    switch self {
    case .text(let text): text
    case .bytes(let bytes): String(decoding: bytes, as: UTF8.self)
    }
  }
}

/// The layout of a frame.
enum MessageFrame {
  /// Type, channel and length before the payload.
  static let headerBytes = 7
  /// The header, and the byte that ends the frame.
  static let overhead = 8
}
