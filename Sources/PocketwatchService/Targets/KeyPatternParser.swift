/// Parses the regular expressions of the operator's list: characters, `.`, `[a-z]`, `[^a-z]`, `\d`, `\w`, `\s`, `\` before any
/// other punctuation, groups with `|`, and the repetitions `*`, `+`, `?`, `{2}`, `{2,}`, `{2,5}`. `^` at the begin and `$` at
/// the end mean nothing: a pattern matches whole keys.
struct KeyPatternParser {
  private indirect enum Node {
    case one(KeyPattern.Characters)
    case sequence([Node])
    case alternatives([Node])
    /// Without an upper bound if `most` is nil.
    case repeated(Node, least: Int, most: Int?)
  }

  static let longestText = 1024
  private static let mostRepetitions = 255
  private static let deepest = 32

  private let scalars: [Unicode.Scalar]
  private var index = 0
  private var steps: [KeyPattern.Step] = []

  init(_ text: String) throws(KeyPatternError) {
    guard text.utf8.count <= Self.longestText else {
      throw KeyPatternError(description: "a pattern has at most \(Self.longestText) bytes")
    }
    scalars = Array(text.unicodeScalars)
  }

  mutating func parse() throws(KeyPatternError) -> [KeyPattern.Step] {
    if next == "^" { index += 1 }
    let node = try alternatives(depth: 0)
    if next != nil { throw error("unexpected \"\(scalars[index])\"") }
    try emit(node)
    steps.append(.end)
    return steps
  }

  private var next: Unicode.Scalar? { index < scalars.count ? scalars[index] : nil }

  private func error(_ reason: String) -> KeyPatternError {
    KeyPatternError(description: "\(reason) (character \(index + 1))")
  }

  private mutating func alternatives(depth: Int) throws(KeyPatternError) -> Node {
    guard depth <= Self.deepest else { throw error("more than \(Self.deepest) groups within each other") }
    var all = [try sequence(depth: depth)]
    while next == "|" {
      index += 1
      all.append(try sequence(depth: depth))
    }
    return all.count == 1 ? all[0] : .alternatives(all)
  }

  private mutating func sequence(depth: Int) throws(KeyPatternError) -> Node {
    var nodes: [Node] = []
    while let scalar = next, scalar != "|", scalar != ")" {
      if scalar == "$", index == scalars.count - 1 {
        index += 1
        break
      }
      nodes.append(try repeated(try atom(depth: depth)))
    }
    return .sequence(nodes)
  }

  private mutating func repeated(_ node: Node) throws(KeyPatternError) -> Node {
    let result: Node
    switch next {
    case "*": result = .repeated(node, least: 0, most: nil)
    case "+": result = .repeated(node, least: 1, most: nil)
    case "?": result = .repeated(node, least: 0, most: 1)
    case "{":
      let (least, most) = try bounds()
      result = .repeated(node, least: least, most: most)
    default: return node
    }
    index += 1
    if let next, "*+?{".unicodeScalars.contains(next) { throw error("a repetition of a repetition") }
    return result
  }

  /// Reads up to the closing brace, and leaves that.
  private mutating func bounds() throws(KeyPatternError) -> (least: Int, most: Int?) {
    index += 1
    guard let least = number() else { throw error("a number is expected in {}; write \\{ for a brace") }
    var most: Int? = least
    if next == "," {
      index += 1
      most = number()
    }
    guard next == "}" else { throw error("} is expected") }
    guard max(least, most ?? least) <= Self.mostRepetitions, most.map({ $0 >= least }) ?? true else {
      throw error("repetitions must ascend, up to \(Self.mostRepetitions)")
    }
    return (least, most)
  }

  private mutating func number() -> Int? {
    var digits = ""
    while let scalar = next, ("0"..."9").contains(scalar), digits.count < 4 {
      digits.unicodeScalars.append(scalar)
      index += 1
    }
    return Int(digits)
  }

  private mutating func atom(depth: Int) throws(KeyPatternError) -> Node {
    guard let scalar = next else { throw error("the pattern ends too early") }
    switch scalar {
    case "*", "+", "?", "{": throw error("nothing to repeat before \"\(scalar)\"")
    case "}", "]", "^", "$": throw error("write \\\(scalar) for this character")
    case "(":
      index += 1
      if next == "?" { throw error("groups with (? are not supported") }
      let node = try alternatives(depth: depth + 1)
      guard next == ")" else { throw error("the group is not closed") }
      index += 1
      return node
    case "[": return .one(try set())
    case ".":
      index += 1
      return .one(.all)
    case "\\": return .one(try escape())
    default:
      index += 1
      return .one(.init(ranges: [scalar.value...scalar.value]))
    }
  }

  private mutating func escape() throws(KeyPatternError) -> KeyPattern.Characters {
    index += 1
    guard let scalar = next else { throw error("the pattern ends with \\") }
    defer { index += 1 }
    switch scalar {
    case "d": return .init(ranges: [0x30...0x39])
    case "w": return .init(ranges: [0x30...0x39, 0x41...0x5A, 0x5F...0x5F, 0x61...0x7A])
    case "s": return .init(ranges: [0x09...0x0D, 0x20...0x20])
    case "a"..."z", "A"..."Z", "0"..."9": throw error("\\\(scalar) is not supported")
    default: return .init(ranges: [scalar.value...scalar.value])
    }
  }

  private mutating func set() throws(KeyPatternError) -> KeyPattern.Characters {
    index += 1
    var set = KeyPattern.Characters(ranges: [])
    if next == "^" {
      set.isNegated = true
      index += 1
    }
    while let scalar = next, scalar != "]" {
      if scalar == "[" { throw error("write \\[ for this character") }
      let first = try member()
      let isRange = next == "-" && index + 1 < scalars.count && scalars[index + 1] != "]"
      guard isRange, first.count == 1, let low = first.first?.lowerBound, first[0].count == 1 else {
        set.ranges += first
        continue
      }
      index += 1
      let last = try member()
      guard last.count == 1, last[0].count == 1, last[0].lowerBound >= low else { throw error("the range descends") }
      set.ranges.append(low...last[0].lowerBound)
    }
    guard next == "]" else { throw error("the set is not closed") }
    guard !set.ranges.isEmpty else { throw error("the set is empty") }
    index += 1
    return set
  }

  private mutating func member() throws(KeyPatternError) -> [ClosedRange<UInt32>] {
    guard let scalar = next else { throw error("the set is not closed") }
    if scalar == "\\" { return try escape().ranges }
    index += 1
    return [scalar.value...scalar.value]
  }

  // MARK: The automaton

  private mutating func emit(_ node: Node) throws(KeyPatternError) {
    guard steps.count < KeyPattern.mostSteps else {
      throw KeyPatternError(description: "the pattern is too large: use fewer or smaller repetitions")
    }
    switch node {
    case .one(let characters): steps.append(.one(characters))
    case .sequence(let nodes): for node in nodes { try emit(node) }
    case .alternatives(let nodes):
      var ends: [Int] = []
      for (index, node) in nodes.enumerated() {
        guard index < nodes.count - 1 else {
          try emit(node)
          break
        }
        let split = steps.count
        steps.append(.end)
        try emit(node)
        ends.append(steps.count)
        steps.append(.end)
        steps[split] = .either(split + 1, steps.count)
      }
      for end in ends { steps[end] = .jump(steps.count) }
    case .repeated(let node, let least, let most):
      for _ in 0..<least { try emit(node) }
      guard let most else {
        let split = steps.count
        steps.append(.end)
        try emit(node)
        steps.append(.jump(split))
        return steps[split] = .either(split + 1, steps.count)
      }
      var splits: [Int] = []
      for _ in least..<most {
        splits.append(steps.count)
        steps.append(.end)
        try emit(node)
      }
      for split in splits { steps[split] = .either(split + 1, steps.count) }
    }
  }
}
