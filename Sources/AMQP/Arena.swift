import CRabbitMQ

/// Memory for the arguments of calls of the C library, freed all at once. Allocations are valid until `recycle()`.
final class Arena {
  private let pool: UnsafeMutablePointer<amqp_pool_t>

  init() {
    pool = .allocate(capacity: 1)
    init_amqp_pool(pool, 16 * 1024)
  }

  deinit {
    empty_amqp_pool(pool)
    pool.deallocate()
  }

  func recycle() { recycle_amqp_pool(pool) }

  /// Copies a string's UTF-8.
  func bytes(_ text: String) -> amqp_bytes_t {
    var text = text
    return text.withUTF8 { bytes(UnsafeRawBufferPointer($0)) }
  }

  func bytes(_ array: [UInt8]) -> amqp_bytes_t {
    array.withUnsafeBytes { bytes($0) }
  }

  func bytes(_ buffer: UnsafeRawBufferPointer) -> amqp_bytes_t {
    guard let source = buffer.baseAddress, !buffer.isEmpty else { return amqp_empty_bytes }
    let copy = allocate(buffer.count)
    copy.copyMemory(from: source, byteCount: buffer.count)
    return amqp_bytes_t(len: buffer.count, bytes: copy)
  }

  /// Decodes a field table, which must be valid.
  func table(_ encoding: [UInt8]) -> amqp_table_t {
    var table = amqp_table_t()
    var offset = 0
    amqp_decode_table(bytes(encoding), pool, &table, &offset)
    return table
  }

  /// Decodes properties; nil for an invalid encoding. Valid as long as the arena.
  func properties(_ encoding: [UInt8]) -> amqp_basic_properties_t? {
    var decoded: UnsafeMutableRawPointer?
    let status = amqp_decode_properties(UInt16(AMQP_BASIC_CLASS), pool, bytes(encoding), &decoded)
    return status < 0 ? nil : decoded?.load(as: amqp_basic_properties_t.self)
  }

  /// Decodes a method or properties. The encoding must be valid, and must not move while the result is used.
  func decoded<Value>(
    _ encoding: UnsafeRawBufferPointer, _: Value.Type,
    _ decode: (UnsafeMutablePointer<amqp_pool_t>, amqp_bytes_t, UnsafeMutablePointer<UnsafeMutableRawPointer?>) -> CInt
  ) -> UnsafeMutablePointer<Value> {
    var value: UnsafeMutableRawPointer?
    let bytes = amqp_bytes_t(len: encoding.count, bytes: UnsafeMutableRawPointer(mutating: encoding.baseAddress))
    _ = decode(pool, bytes, &value)
    return value!.assumingMemoryBound(to: Value.self)
  }

  /// Uninitialised memory for `count` C structs.
  func allocate<Value>(_ type: Value.Type, count: Int) -> UnsafeMutablePointer<Value> {
    allocate(count * MemoryLayout<Value>.stride).bindMemory(to: type, capacity: count)
  }

  private func allocate(_ byteCount: Int) -> UnsafeMutableRawPointer {
    // Nil for 0 bytes, and when memory is exhausted, which ends the process as in every Swift allocation.
    amqp_pool_alloc(pool, max(1, byteCount))!
  }
}

extension amqp_bytes_t {
  var array: [UInt8] { Array(UnsafeRawBufferPointer(start: bytes, count: bytes == nil ? 0 : len)) }

  /// The bytes as text; invalid UTF-8 becomes U+FFFD.
  var string: String {
    String(decoding: UnsafeRawBufferPointer(start: bytes, count: bytes == nil ? 0 : len), as: UTF8.self)
  }
}
