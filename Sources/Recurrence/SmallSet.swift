/// A set of numbers from 0 to 63 in one machine word, such as the minutes of a cron field.
struct SmallSet: Hashable, Sendable {
  private(set) var bits: UInt64 = 0

  init() {}

  init(_ range: ClosedRange<Int>) {
    insert(range, step: 1)
  }

  /// The smallest member; 64 of an empty set.
  var lowest: Int { bits.trailingZeroBitCount }
  /// The largest member; -1 of an empty set.
  var highest: Int { 63 - bits.leadingZeroBitCount }
  var isEmpty: Bool { bits == 0 }
  var count: Int { bits.nonzeroBitCount }

  func contains(_ number: Int) -> Bool { bits &>> number & 1 == 1 }

  mutating func insert(_ number: Int) {
    assert(0..<64 ~= number, "out of range")
    bits |= 1 &<< number
  }

  /// Inserts the first number of `range` and every `step`-th after it.
  mutating func insert(_ range: ClosedRange<Int>, step: Int) {
    for number in stride(from: range.lowerBound, through: range.upperBound, by: step) { insert(number) }
  }

  /// The smallest member at or above `number`.
  func first(from number: Int) -> Int? {
    guard number < 64 else { return nil }
    let rest = (bits &>> number) &<< number
    return rest == 0 ? nil : rest.trailingZeroBitCount
  }

  /// The largest member at or below `number`.
  func last(through number: Int) -> Int? {
    guard number >= 0 else { return nil }
    let rest = bits &<< (63 - number)
    return rest == 0 ? nil : number - rest.leadingZeroBitCount
  }

  /// The members in ascending order.
  var members: [Int] { (0..<64).filter(contains) }
}
