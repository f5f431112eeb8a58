import Bytes
import CRabbitMQ

extension Properties {
  /// The property block of a content header: flags, then values (AMQP 0-9-1, 4.2.6.1).
  package var encoded: [UInt8] {
    var writer = FrameWriter(frameMax: .max, capacity: 512)
    writer.bytes.append(bigEndian: UInt16(0))
    writer.append(self)
    writer.bytes.put(bigEndian: UInt16(writer.flags), at: 0)
    return writer.bytes.array
  }

  /// Nil for bytes that are not a property block.
  package init?(encoded: [UInt8]) {
    let arena = Arena()
    guard let properties = arena.properties(encoded) else { return nil }
    self.init(properties)
  }
}
