import CRabbitMQ

/// Decodes a message of a batch into the library's structs.
extension MessageBatch {
  /// - Parameter body: Its arguments are valid only inside the closure.
  func withFrames<Result>(
    of index: Int, in arena: Arena,
    _ body: (amqp_basic_publish_t, UnsafePointer<amqp_basic_properties_t>, amqp_bytes_t) -> Result
  ) -> Result {
    withBytes { bytes in
      var rest = UnsafeRawBufferPointer(rebasing: bytes[start(of: index)..<entries[index].end])
      let method = UnsafeRawBufferPointer(rebasing: MessageFrame.takePayload(of: &rest).dropFirst(4))  // its number
      let header = UnsafeRawBufferPointer(rebasing: MessageFrame.takePayload(of: &rest).dropFirst(12))  // class to size
      let publish = arena.decoded(method, amqp_basic_publish_t.self) {
        amqp_decode_method(amqp_method_number_t(AMQP_BASIC_PUBLISH_METHOD), $0, $1, $2)
      }
      let properties = arena.decoded(header, amqp_basic_properties_t.self) {
        amqp_decode_properties(UInt16(AMQP_BASIC_CLASS), $0, $1, $2)
      }
      var content: [UInt8] = []
      while !rest.isEmpty { content += MessageFrame.takePayload(of: &rest) }
      return content.withUnsafeBytes {
        body(
          publish.pointee, properties,
          amqp_bytes_t(len: $0.count, bytes: UnsafeMutableRawPointer(mutating: $0.baseAddress)))
      }
    }
  }
}

extension MessageFrame {
  /// Removes the first frame and returns its payload.
  fileprivate static func takePayload(of frames: inout UnsafeRawBufferPointer) -> Slice<UnsafeRawBufferPointer> {
    let size = Int(UInt32(bigEndian: frames.loadUnaligned(fromByteOffset: 3, as: UInt32.self)))
    defer { frames = UnsafeRawBufferPointer(rebasing: frames[(size + overhead)...]) }
    return frames[headerBytes..<headerBytes + size]
  }
}
