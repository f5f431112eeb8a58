/// A regular expression for whole routing keys, matched in time proportional to its length and that of the key.
///
/// The pattern is the operator's, but a client chooses the key and the engine's thread matches it. With a matcher that
/// backtracks, as Swift's `Regex`, a key made for a pattern such as `(a+)+b` would stop all ticks.
package struct KeyPattern: Sendable, Hashable {
  /// A set of characters: ranges of scalars, or all others.
  struct Characters: Sendable, Hashable {
    var ranges: [ClosedRange<UInt32>]
    var isNegated = false

    func contains(_ scalar: UInt32) -> Bool { ranges.contains { $0.contains(scalar) } != isNegated }

    static let all = Characters(ranges: [], isNegated: true)
  }

  /// A step of the automaton. Destinations are numbers of steps.
  enum Step: Sendable, Hashable {
    case one(Characters)
    /// Continues at both.
    case either(Int, Int)
    case jump(Int)
    case end
  }

  /// The most steps: more would take milliseconds.
  static let mostSteps = 1000

  package let text: String
  private let steps: [Step]

  package init(_ text: String) throws(KeyPatternError) {
    var parser = try KeyPatternParser(text)
    self.text = text
    steps = try parser.parse()
  }

  /// Whether the pattern matches all of a text.
  package func matches(_ text: String) -> Bool {
    var current = States(count: steps.count)
    var next = States(count: steps.count)
    follow(0, into: &current)
    for scalar in text.unicodeScalars {
      next.removeAll()
      for state in current.active {
        if case .one(let characters) = steps[state], characters.contains(scalar.value) {
          follow(state + 1, into: &next)
        }
      }
      swap(&current, &next)
      if current.active.isEmpty { return false }
    }
    return current.active.contains { steps[$0] == .end }
  }

  /// Adds a step and those that it leads to without a character.
  private func follow(_ first: Int, into states: inout States) {
    var open = [first]
    while let state = open.popLast() {
      guard states.insert(state) else { continue }
      switch steps[state] {
      case .jump(let next): open.append(next)
      case .either(let one, let other): open += [other, one]
      case .one, .end: break
      }
    }
  }

  private struct States {
    private(set) var active: [Int] = []
    private var isActive: [Bool]

    init(count: Int) { isActive = Array(repeating: false, count: count) }

    /// Returns whether it was not there.
    mutating func insert(_ state: Int) -> Bool {
      guard !isActive[state] else { return false }
      isActive[state] = true
      active.append(state)
      return true
    }

    mutating func removeAll() {
      for state in active { isActive[state] = false }
      active.removeAll(keepingCapacity: true)
    }
  }
}

/// Why a pattern is invalid.
package struct KeyPatternError: Error, Hashable, Sendable, CustomStringConvertible {
  package var description: String
}
