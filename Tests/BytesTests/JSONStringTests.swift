import Bytes
import Foundation
import Testing

@Suite("JSON strings")
struct JSONStringTests {
  private func written(_ text: String, _ escapes: JSONEscapes) -> String {
    var writer = ByteWriter(capacity: 0)
    writer.append(jsonString: text, escapes)
    return String(decoding: writer.array, as: UTF8.self)
  }

  @Test("each character is escaped if JSON or a terminal requires it, and no other; decoding restores it")
  func everyCharacter() throws {
    for value in (0...0x2fff).compactMap(Unicode.Scalar.init) {
      let text = String(Character(value))
      let isRequired = value.value < 0x20 || text == "\"" || text == "\\"
      for (escapes, expected) in [(JSONEscapes.required, isRequired), (.forDisplay, isRequired || value.needsEscape)] {
        let quoted = written(text, escapes)
        #expect((quoted.utf8.count > text.utf8.count + 2) == expected, "U+\(String(value.value, radix: 16))")
        let back = try JSONSerialization.jsonObject(with: Data(quoted.utf8), options: .fragmentsAllowed) as? String
        #expect(back?.utf8.elementsEqual(text.utf8) == true, "U+\(String(value.value, radix: 16))")
      }
    }
  }

  @Test("short forms, and four digits for the others")
  func forms() {
    #expect(
      jsonQuoted("\u{8}\t\n\u{C}\r\"\\/\u{0}\u{7F}\u{85}\u{202E}é😀") == #""\b\t\n\f\r\"\\/\u0000\u007f\u0085\u202eé😀""#)
    #expect(written("\u{7F}\u{85}\u{202E}", .required) == "\"\u{7F}\u{85}\u{202E}\"")
    #expect(jsonQuoted("") == "\"\"")
  }

  /// The writer skips eight bytes at a time, so a character is tried at every offset, between others of every length.
  @Test("texts of all lengths and mixtures", arguments: [UInt64(1), 2, 3])
  func mixtures(seed: UInt64) throws {
    let pieces =
      ["a", "\"", "\\", "\n", "\u{7F}", "\u{80}", "\u{9F}", "\u{A0}", "é", "\u{2027}", "\u{2028}", "\u{202F}"]
      + ["\u{2066}", "\u{206A}", "\u{FFFD}", "😀", "\u{E0080}", "plain"]
    var state = seed
    func random(_ bound: Int) -> Int {
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      return Int(state >> 33) % bound
    }
    for _ in 0..<3000 {
      let text = (0..<random(24)).map { _ in pieces[random(pieces.count)] }.joined()
      for escapes in [JSONEscapes.required, .forDisplay] {
        let quoted = written(text, escapes)
        let back = try JSONSerialization.jsonObject(with: Data(quoted.utf8), options: .fragmentsAllowed) as? String
        #expect(back?.utf8.elementsEqual(text.utf8) == true, "\(quoted)")
        let unsafe = quoted.unicodeScalars.contains { escapes == .forDisplay ? $0.needsEscape : $0.value < 0x20 }
        #expect(!unsafe, "\(quoted)")
      }
    }
  }
}
