/// Builds valid and invalid TZif files (RFC 9636).
struct TZifBuilder {
  var version: UInt8 = UInt8(ascii: "2")
  var transitions: [(start: Int64, type: UInt8)] = []
  var offsets: [Int32] = [0]
  var leapSeconds: UInt32 = 0
  var footer = "\n\n"

  /// A first block without times for old readers, then the 64-bit block and the footer.
  var bytes: [UInt8] {
    var empty = TZifBuilder(version: version)
    empty.footer = ""
    return empty.block(width: 4) + block(width: 8) + Array(footer.utf8)
  }

  /// One block with times of `width` bytes.
  func block(width: Int) -> [UInt8] {
    var bytes = Array("TZif".utf8) + [version] + [UInt8](repeating: 0, count: 15)
    let counts = [0, 0, leapSeconds, UInt32(transitions.count), UInt32(offsets.count), 4]
    for count in counts { bytes += Self.bigEndian(Int64(count), width: 4) }
    for transition in transitions { bytes += Self.bigEndian(transition.start, width: width) }
    bytes += transitions.map(\.type)
    for offset in offsets { bytes += Self.bigEndian(Int64(offset), width: 4) + [0, 0] }
    bytes += Array("LMT\0".utf8)
    return bytes + [UInt8](repeating: 0, count: Int(leapSeconds) * (width + 4))
  }

  private static func bigEndian(_ value: Int64, width: Int) -> [UInt8] {
    (0..<width).reversed().map { UInt8(truncatingIfNeeded: value >> (8 * $0)) }
  }
}
