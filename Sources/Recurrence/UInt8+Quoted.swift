extension UInt8 {
  /// The byte for an error message: quoted if printable, otherwise described.
  var quoted: String {
    switch self {
    case 0x20: "a blank"
    case 0x21...0x7E: "'\(Character(Unicode.Scalar(self)))'"
    case 0x80...: "a character outside ASCII"
    default: "a control character"
    }
  }
}
