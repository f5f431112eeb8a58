/// A text as a JSON string, safe to show: control characters and marks that turn the direction of writing are escaped.
package func jsonQuoted(_ text: String) -> String {
  var result = "\""
  for scalar in text.unicodeScalars {
    switch scalar {
    case "\"", "\\": result += "\\\(scalar)"
    case _ where scalar.needsEscape:
      let hex = String(scalar.value, radix: 16)
      result += "\\u" + String(repeating: "0", count: max(0, 4 - hex.count)) + hex
    default: result.unicodeScalars.append(scalar)
    }
  }
  return result + "\""
}

extension Unicode.Scalar {
  /// C0, DEL, C1, the line and paragraph separators, and the bidirectional controls.
  package var needsEscape: Bool {
    value < 0x20 || (0x7f...0x9f).contains(value) || (0x2028...0x202e).contains(value)
      || (0x2066...0x2069).contains(value)
  }
}
