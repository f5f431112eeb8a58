import Bytes
import CRabbitMQ

/// Writes messages as frames, one behind the other: of each its method, its header with the properties, and its body in as
/// many as it takes (AMQP 0-9-1, section 4.2).
///
/// Properties and body are written where they stand, by whoever has them. What fits into no frame is told with its message
/// and leaves nothing behind: half a message costs the connection.
package struct FrameWriter: ~Copyable {
  var bytes: ByteWriter
  private let frameMax: Int
  /// Of the message that is being written: which properties it has, where its id stands, and why it cannot be sent.
  var flags: CInt = 0
  var messageID = 0..<0
  private var refusal: AMQPError?

  init(frameMax: Int, capacity: Int) {
    self.frameMax = frameMax
    bytes = ByteWriter(capacity: capacity)
  }

  /// Writes a message, and returns what it is known by when it is returned, nil when it cannot be, and the size of its body.
  mutating func write(
    exchange: String, routingKey: String, mandatory: Bool, _ properties: (inout FrameWriter) -> Void,
    body: (inout ByteWriter) -> Void
  ) throws(AMQPError) -> (fingerprint: Int?, bodyBytes: Int) {
    let start = bytes.count
    (flags, messageID, refusal) = (0, 0..<0, nil)
    let address = writeMethod(exchange: exchange, routingKey: routingKey, mandatory: mandatory)
    let sizePlace = writeHeader(properties)
    if let refusal {
      bytes.truncate(to: start)
      throw refusal
    }
    let size = writeBody(body)
    bytes.put(bigEndian: UInt64(size), at: sizePlace)
    let fingerprint = mandatory ? bytes.withBytes { MessageFingerprint.of($0[address], $0[messageID]) } : nil
    return (fingerprint, size)
  }

  /// Returns where exchange and routing key stand.
  private mutating func writeMethod(exchange: String, routingKey: String, mandatory: Bool) -> Range<Int> {
    let frame = beginFrame(AMQP_FRAME_METHOD)
    bytes.append(bigEndian: UInt32(AMQP_BASIC_PUBLISH_METHOD))
    bytes.append(bigEndian: UInt16(0))  // reserved
    let address = bytes.count
    appendShort(exchange, "exchange")
    appendShort(routingKey, "routing key")
    let addressEnd = bytes.count
    bytes.append(mandatory ? 1 : 0)
    endFrame(frame)
    return address..<addressEnd
  }

  /// Returns where the size of the body is to be written.
  private mutating func writeHeader(_ properties: (inout FrameWriter) -> Void) -> Int {
    let frame = beginFrame(AMQP_FRAME_HEADER)
    bytes.append(bigEndian: UInt16(AMQP_BASIC_CLASS))
    bytes.append(bigEndian: UInt16(0))  // weight, unused
    let sizePlace = bytes.count
    bytes.append(bigEndian: UInt64(0))
    let flagsPlace = bytes.count
    bytes.append(bigEndian: UInt16(0))
    let begin = bytes.count
    properties(&self)
    let (size, room) = (bytes.count - begin, frameMax - MessageFrame.overhead - (begin - frame - 4))
    if size > room {
      refuse("its properties take \(size) bytes; the broker's frames have room for \(room)")
    }
    bytes.put(bigEndian: UInt16(flags), at: flagsPlace)
    endFrame(frame)
    return sizePlace
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
    } else {  // seldom, so that it may be copied
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

  /// Begins a frame of the channel, and returns where its length is to be written.
  private mutating func beginFrame(_ type: CInt) -> Int {
    bytes.append(UInt8(type))
    bytes.append(bigEndian: Connection.channel)
    return bytes.beginCounted()
  }

  private mutating func endFrame(_ place: Int) {
    bytes.endCounted(place)
    bytes.append(UInt8(AMQP_FRAME_END))
  }

  mutating func refuse(_ reason: String) {
    refusal = refusal ?? AMQPError(.invalidMessage, reason)
  }
}

/// Where things stand in a frame.
enum MessageFrame {
  /// Type, channel and length before the payload.
  static let headerBytes = 7
  /// The header, and the byte that ends the frame.
  static let overhead = 8
}
