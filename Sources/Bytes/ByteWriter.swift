/// Bytes that are appended one after another: what frames and JSON are written into. An array asks with each append whether
/// it is shared; this cannot be.
package struct ByteWriter: ~Copyable {
  @usableFromInline var base: UnsafeMutablePointer<UInt8>
  @usableFromInline var capacity: Int
  @usableFromInline var written = 0

  @inlinable package var count: Int { written }

  /// - Parameter capacity: Room for so many bytes; it grows when there are more.
  package init(capacity: Int) {
    self.capacity = max(64, capacity)
    base = .allocate(capacity: self.capacity)
  }

  deinit { base.deallocate() }

  /// A copy of all that was written.
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

  /// The text's UTF-8.
  @inlinable package mutating func append(_ text: String) {
    var text = text
    text.withUTF8 { append(UnsafeRawBufferPointer($0)) }
  }

  /// Numbers with the highest byte first.
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

  /// Writes over what stands there.
  package mutating func put(bigEndian number: UInt32, at place: Int) {
    precondition(place >= 0 && place + 4 <= count, "that was not written yet")
    UnsafeMutableRawPointer(base + place).storeBytes(of: number.bigEndian, as: UInt32.self)
  }

  package mutating func put(bigEndian number: UInt64, at place: Int) {
    precondition(place >= 0 && place + 8 <= count, "that was not written yet")
    UnsafeMutableRawPointer(base + place).storeBytes(of: number.bigEndian, as: UInt64.self)
  }

  package mutating func put(bigEndian number: UInt16, at place: Int) {
    precondition(place >= 0 && place + 2 <= count, "that was not written yet")
    UnsafeMutableRawPointer(base + place).storeBytes(of: number.bigEndian, as: UInt16.self)
  }

  /// Takes back what was written behind a place.
  package mutating func truncate(to count: Int) {
    precondition(0...written ~= count, "that was not written yet")
    written = count
  }

  @usableFromInline mutating func grow(by more: Int) {
    capacity = max(2 * capacity, count + more)
    let larger = UnsafeMutablePointer<UInt8>.allocate(capacity: capacity)
    larger.moveInitialize(from: base, count: count)
    base.deallocate()
    base = larger
  }
}

// One writer owns its memory, and only what is `mutating` changes it.
extension ByteWriter: @unchecked Sendable {}
