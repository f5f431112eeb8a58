/// ASCII classes of a byte, for parsers. They work on bytes, not Characters: to Swift, `"٣"` is a digit and `"ſ"` an upper-case
/// `"S"`.
extension UInt8 {
  @inlinable package var isDigit: Bool { self >= UInt8(ascii: "0") && self <= UInt8(ascii: "9") }

  @inlinable package var isLetter: Bool { lowercased >= UInt8(ascii: "a") && lowercased <= UInt8(ascii: "z") }

  /// Whether it is a space or a tab.
  @inlinable package var isBlank: Bool { self == UInt8(ascii: " ") || self == UInt8(ascii: "\t") }

  /// The lower-case form of an ASCII letter; any other byte unchanged.
  @inlinable package var lowercased: UInt8 {
    self >= UInt8(ascii: "A") && self <= UInt8(ascii: "Z") ? self | 0x20 : self
  }

  /// The value of a decimal digit. Only valid if `isDigit`.
  @inlinable package var digitValue: Int { Int(self) - 0x30 }

  /// The value of a hexadecimal digit; nil for any other byte.
  @inlinable package var hexDigitValue: UInt8? {
    switch self {
    case UInt8(ascii: "0")...UInt8(ascii: "9"): self - UInt8(ascii: "0")
    case UInt8(ascii: "a")...UInt8(ascii: "f"): self - UInt8(ascii: "a") + 10
    case UInt8(ascii: "A")...UInt8(ascii: "F"): self - UInt8(ascii: "A") + 10
    default: nil
    }
  }

  /// The lower-case hexadecimal digit for a value below 16.
  @inlinable package init(hexDigit value: UInt8) {
    assert(value < 16, "not a hexadecimal digit")
    self = value < 10 ? UInt8(ascii: "0") + value : UInt8(ascii: "a") + value % 16 - 10
  }
}
