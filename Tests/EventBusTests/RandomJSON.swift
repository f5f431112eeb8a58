/// Generates random JSON documents, in all notations that JSON allows.
struct RandomJSON {
  private var generator: SeededGenerator

  init(seed: UInt64) {
    generator = SeededGenerator(seed: seed)
  }

  mutating func document() -> String {
    space() + value(depth: 0) + space()
  }

  mutating func object(depth: Int = 0) -> String {
    // Numbered, so that keys are unique.
    let members = (0..<below(6)).map { "\(string(prefix: "\($0)"))\(space()):\(space())\(value(depth: depth + 1))" }
    return "{\(space())\(members.joined(separator: "\(space()),\(space())"))\(space())}"
  }

  /// The document with a few bytes changed, removed, doubled or moved.
  mutating func mutated(_ json: [UInt8]) -> [UInt8] {
    var json = json
    for _ in 0...below(3) where !json.isEmpty {
      let index = below(json.count)
      switch below(5) {
      case 0: json[index] = UInt8(truncatingIfNeeded: generator.next())
      case 1: json.remove(at: index)
      case 2: json.insert(pick(Array("{}[]\":,\\u0e-.\u{0}\u{1f}".utf8)), at: index)
      case 3: json.insert(contentsOf: json[index..<min(json.count, index + 1 + below(8))], at: index)
      default: json.removeSubrange(index...)
      }
    }
    return json
  }

  mutating func bytes(count: Int) -> [UInt8] {
    (0..<count).map { _ in UInt8(truncatingIfNeeded: generator.next()) }
  }

  mutating func below(_ bound: Int) -> Int {
    Int.random(in: 0..<bound, using: &generator)
  }

  private mutating func value(depth: Int) -> String {
    switch below(depth < 6 ? 9 : 6) {
    case 0: pick(["null", "true", "false"])
    case 1, 2: number()
    case 3, 4, 5: string(prefix: "")
    case 6, 7: object(depth: depth)
    default:
      "[\(space())\((0..<below(5)).map { _ in value(depth: depth + 1) }.joined(separator: ",\(space())"))\(space())]"
    }
  }

  private mutating func number() -> String {
    let whole = pick(["0", "7", "42", "1234567890", "-1", "-0"])
    let fraction = pick(["", "", ".0", ".25", ".125"])
    return whole + fraction + pick(["", "", "e0", "e2", "E+1", "e-2"])
  }

  private mutating func string(prefix: String) -> String {
    let pieces = [
      "a", "B", " ", "é", "e\\u0301", "漢", "😀", "\\n", "\\t", "\\\"", "\\\\", "\\/", "/", "\\u0041", "\\u00e9",
      "\\ud83d\\ude00", "{", "]", ",", ":", "\u{7f}",
    ]
    return "\"\(prefix)\((0..<below(8)).map { _ in pick(pieces) }.joined())\""
  }

  private mutating func space() -> String {
    pick(["", "", "", " ", "\n", "\t ", "\r\n"])
  }

  private mutating func pick<Element>(_ elements: [Element]) -> Element {
    elements[below(elements.count)]
  }
}
