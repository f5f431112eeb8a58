/// What the parsers ask of a byte. Bytes, not Characters: to Swift `"٣"` is a digit and `"ſ"` an upper-case `"S"`.
extension UInt8 {
  var isDigit: Bool { self >= UInt8(ascii: "0") && self <= UInt8(ascii: "9") }

  var isLetter: Bool { lowercased >= UInt8(ascii: "a") && lowercased <= UInt8(ascii: "z") }

  var isBlank: Bool { self == UInt8(ascii: " ") || self == UInt8(ascii: "\t") }

  /// The lower-case form of an ASCII letter; any other byte as it is.
  var lowercased: UInt8 { self >= UInt8(ascii: "A") && self <= UInt8(ascii: "Z") ? self | 0x20 : self }

  /// The value of a decimal digit; meaningful only where `isDigit`.
  var digitValue: Int { Int(self) - 0x30 }

  /// The byte for an error message: quoted if it can be printed, else described.
  var quoted: String {
    switch self {
    case 0x20: "a blank"
    case 0x21...0x7E: "'\(Character(Unicode.Scalar(self)))'"
    case 0x80...: "a character outside ASCII"
    default: "a control character"
    }
  }
}
