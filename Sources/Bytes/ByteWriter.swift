/// A growing buffer of bytes, for frames and JSON. Unlike an array it cannot be shared, so that an append needs no check for
/// uniqueness.
package struct ByteWriter: ~Copyable {
  @usableFromInline var base: UnsafeMutablePointer<UInt8>
  @usableFromInline var capacity: Int
  @usableFromInline var written = 0

  @inlinable package var count: Int { written }

  /// - Parameter capacity: The initial capacity in bytes.
  package init(capacity: Int) {
    self.capacity = max(64, capacity)
    base = .allocate(capacity: self.capacity)
  }

  deinit { base.deallocate() }

  /// A copy of the bytes.
  package var array: [UInt8] { withBytes { Array($0) } }

  package borrowing func withBytes<Result>(_ body: (UnsafeRawBufferPointer) throws -> Result) rethrows -> Result {
    try body(UnsafeRawBufferPointer(start: base, count: count))
  }

  @inlinable package mutating func append(_ byte: UInt8) {
    if count == capacity { grow(by: 1) }
    base[count] = byte
    written += 1
  }

  @inlinable package mutating func append(_ bytes: UnsafeRawBufferPointer) {
    guard let start = bytes.baseAddress else { return }
    if capacity - count < bytes.count { grow(by: bytes.count) }
    UnsafeMutableRawPointer(base + count).copyMemory(from: start, byteCount: bytes.count)
    written += bytes.count
  }

  @inlinable package mutating func append(_ bytes: [UInt8]) {
    bytes.withUnsafeBytes { append($0) }
  }

  @inlinable package mutating func append(_ text: StaticString) {
    append(UnsafeRawBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
  }

  /// Appends the text's UTF-8.
  @inlinable package mutating func append(_ text: String) {
    var text = text
    text.withUTF8 { append(UnsafeRawBufferPointer($0)) }
  }

  /// Appends a number in network byte order.
  @inlinable package mutating func append(bigEndian number: UInt16) {
    append(UInt8(truncatingIfNeeded: number >> 8))
    append(UInt8(truncatingIfNeeded: number))
  }

  @inlinable package mutating func append(bigEndian number: UInt32) {
    append(bigEndian: UInt16(truncatingIfNeeded: number >> 16))
    append(bigEndian: UInt16(truncatingIfNeeded: number))
  }

  @inlinable package mutating func append(bigEndian number: UInt64) {
    append(bigEndian: UInt32(truncatingIfNeeded: number >> 32))
    append(bigEndian: UInt32(truncatingIfNeeded: number))
  }

  /// Overwrites bytes with a number in network byte order.
  package mutating func put(bigEndian number: UInt32, at offset: Int) {
    precondition(offset >= 0 && offset + 4 <= count, "out of bounds")
    UnsafeMutableRawPointer(base + offset).storeBytes(of: number.bigEndian, as: UInt32.self)
  }

  package mutating func put(bigEndian number: UInt64, at offset: Int) {
    precondition(offset >= 0 && offset + 8 <= count, "out of bounds")
    UnsafeMutableRawPointer(base + offset).storeBytes(of: number.bigEndian, as: UInt64.self)
  }

  package mutating func put(bigEndian number: UInt16, at offset: Int) {
    precondition(offset >= 0 && offset + 2 <= count, "out of bounds")
    UnsafeMutableRawPointer(base + offset).storeBytes(of: number.bigEndian, as: UInt16.self)
  }

  /// Removes all bytes after the first `count`.
  package mutating func truncate(to count: Int) {
    precondition(0...written ~= count, "out of bounds")
    written = count
  }

  @usableFromInline mutating func grow(by more: Int) {
    capacity = max(2 * capacity, count + more)
    assert(written <= capacity, "the buffer overflowed")
    let larger = UnsafeMutablePointer<UInt8>.allocate(capacity: capacity)
    larger.moveInitialize(from: base, count: count)
    base.deallocate()
    base = larger
  }
}

// The memory has one owner, and only `mutating` functions change it.
extension ByteWriter: @unchecked Sendable {}
