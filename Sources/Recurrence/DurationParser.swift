import Bytes

/// Parses a duration, as terms (`1h 30m`) or in ISO 8601 (`PT1H30M`).
struct DurationParser {
  /// In bytes; the contract's limit, which also limits the cost of hostile input.
  private static let longestText = 128
  private static let longestNanoseconds = 100 * DurationUnit.year.nanoseconds

  private var scanner: ByteScanner
  /// The sum of the terms so far.
  private var nanoseconds: UInt128 = 0

  init(_ text: String) throws(ExpressionError) {
    let bytes = Array(text.utf8.prefix(Self.longestText + 1))
    guard bytes.count <= Self.longestText else {
      throw ExpressionError(field: "duration", reason: "a duration has at most \(Self.longestText) bytes")
    }
    scanner = ByteScanner(bytes[...])
  }

  mutating func milliseconds() throws(ExpressionError) -> Int64 {
    skipBlanks()
    guard !scanner.isAtEnd else { throw failure("a duration is missing, such as 5m or 1h 30m") }
    if scanner.skip("P") { try readISO8601() } else { try readTerms() }
    let milliseconds = (nanoseconds + 500_000) / 1_000_000
    guard milliseconds >= 1 else {
      throw ExpressionError(field: "duration", reason: "a duration must be at least 1 ms")
    }
    return Int64(milliseconds)
  }

  // MARK: Terms

  private mutating func readTerms() throws(ExpressionError) {
    var isFirst = true
    repeat {
      let position = scanner.position
      let number = try number()
      skipBlanks()
      // The unit may be omitted only if the number is the whole expression.
      if isFirst, scanner.isAtEnd { return try add(number, .millisecond, at: position) }
      try add(number, try unit(), at: position)
      isFirst = false
    } while try skipSeparator()
  }

  /// Skips the optional separator between two terms. Returns false at the end.
  private mutating func skipSeparator() throws(ExpressionError) -> Bool {
    skipBlanks()
    if scanner.isAtEnd { return false }
    if scanner.skip(",") { skipBlanks() }
    if scanner.peek(3)?.isBlank == true, scanner.skip("a") {
      guard scanner.skip("n"), scanner.skip("d") else { throw unexpected() }
      skipBlanks()
    }
    return true
  }

  private mutating func unit() throws(ExpressionError) -> DurationUnit {
    let position = scanner.position
    // µ is the only letter outside ASCII. The table checks its bytes.
    let word = scanner.take { $0.isLetter || $0 >= 0x80 }
    guard !word.isEmpty else { throw scanner.isAtEnd ? failure("a unit is missing, such as s or m") : unexpected() }
    guard let unit = DurationUnit(named: word) else {
      throw failure("unknown unit; known are ms s m h d w month year and their long forms", at: position)
    }
    return unit
  }

  /// A decimal number. Underscores between digits and commas before three digits are ignored.
  private mutating func number() throws(ExpressionError) -> DecimalNumber {
    let position = scanner.position
    if scanner.isNext("-") || scanner.isNext("+") {
      throw failure("a duration cannot have a sign")
    }
    var number = DecimalNumber()
    var hasDigits = readDigits(into: &number)
    while hasDigits, try skipGroupMark() { hasDigits = readDigits(into: &number) }
    if scanner.isNext("."), scanner.peek(1)?.isDigit == true {
      scanner.advance()
      hasDigits = readDigits(into: &number, isFraction: true)
    }
    guard hasDigits else { throw unexpected() }
    try readExponent(into: &number, at: position)
    return number
  }

  /// Skips a digit separator, as in `1_000` and `1,000`.
  private mutating func skipGroupMark() throws(ExpressionError) -> Bool {
    guard scanner.peek(1)?.isDigit == true else { return false }
    if scanner.skip("_") { return true }
    guard scanner.isNext(",") else { return false }
    let isThousand = (1...3).allSatisfy { scanner.peek($0)?.isDigit == true } && scanner.peek(4)?.isDigit != true
    guard isThousand else { throw failure("a comma must be followed by three digits; write decimals with a point") }
    scanner.advance()
    return true
  }

  private mutating func readExponent(into number: inout DecimalNumber, at position: Int) throws(ExpressionError) {
    guard scanner.isNext("e") else { return }
    let isSigned = scanner.peek(1) == UInt8(ascii: "-") || scanner.peek(1) == UInt8(ascii: "+")
    guard scanner.peek(isSigned ? 2 : 1)?.isDigit == true else { return }
    scanner.advance()
    let isNegative = scanner.skip("-")
    _ = scanner.skip("+")
    let digits = scanner.take { $0.isDigit }
    guard digits.count <= 4 else { throw failure("an exponent has at most four digits", at: position) }
    let exponent = digits.reduce(0) { $0 * 10 + $1.digitValue }
    number.exponent += isNegative ? -exponent : exponent
  }

  /// Returns whether there was a digit.
  private mutating func readDigits(into number: inout DecimalNumber, isFraction: Bool = false) -> Bool {
    let digits = scanner.take { $0.isDigit }
    for digit in digits { number.append(digit.digitValue, isFraction: isFraction) }
    return !digits.isEmpty
  }

  // MARK: ISO 8601

  /// Reads the rest of `PnYnMnWnDTnHnMnS` after the `P`: any of the parts, in this order. The last may have a fraction.
  private mutating func readISO8601() throws(ExpressionError) {
    var count = try readISO8601Parts(DurationUnit.dateDesignators)
    if scanner.skip("T") {
      let timeCount = try readISO8601Parts(DurationUnit.timeDesignators)
      guard timeCount > 0 else { throw failure("T must be followed by hours, minutes or seconds, as in PT1H30M") }
      count += timeCount
    }
    guard count > 0 else { throw failure("P must be followed by numbers and units, as in P1D or PT1H30M") }
    skipBlanks()
    guard scanner.isAtEnd else { throw unexpected() }
  }

  /// Reads numbers with these designators, in their order. Returns how many there were.
  private mutating func readISO8601Parts(
    _ designators: [(letter: Unicode.Scalar, unit: DurationUnit)]
  ) throws(ExpressionError) -> Int {
    var allowed = designators[...]
    var count = 0
    while scanner.next?.isDigit == true {
      let position = scanner.position
      var number = DecimalNumber()
      _ = readDigits(into: &number)
      let hasFraction = scanner.skip(".") || scanner.skip(",")
      if hasFraction, !readDigits(into: &number, isFraction: true) { throw unexpected() }
      guard let index = allowed.firstIndex(where: { scanner.isNext($0.letter) }) else {
        let letters = allowed.map { String($0.letter) }.joined(separator: ", ", last: " or ")
        let reason = letters.isEmpty ? "nothing may follow here" : "this number must be followed by \(letters)"
        throw failure(reason, at: position)
      }
      scanner.advance()
      try add(number, allowed[index].unit, at: position)
      allowed = allowed[(index + 1)...]
      count += 1
      if hasFraction, scanner.next?.isBlank == false { throw failure("only the last part can have a fraction") }
    }
    return count
  }

  // MARK: Shared

  private mutating func add(
    _ number: DecimalNumber, _ unit: DurationUnit, at position: Int
  ) throws(ExpressionError) {
    guard let term = number.times(unit.nanoseconds, atMost: Self.longestNanoseconds),
      nanoseconds + term <= Self.longestNanoseconds
    else { throw failure("a duration must be at most 100 years", at: position) }
    nanoseconds += term
  }

  private mutating func skipBlanks() {
    _ = scanner.take(while: \.isBlank)
  }

  private func unexpected() -> ExpressionError {
    failure(scanner.next.map { "\($0.quoted) is not expected here" } ?? "a number is missing at the end")
  }

  private func failure(_ reason: String) -> ExpressionError {
    failure(reason, at: scanner.position)
  }

  private func failure(_ reason: String, at position: Int) -> ExpressionError {
    ExpressionError(field: "duration", position: position, reason: reason)
  }
}
