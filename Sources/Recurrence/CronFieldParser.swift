import Bytes

/// Parses one field of a cron expression.
struct CronFieldParser {
  private let field: CronField
  private let text: ArraySlice<UInt8>
  private var scanner: ByteScanner

  /// `text` is a slice of the whole expression, so that positions in errors refer to the expression.
  init(_ field: CronField, _ text: ArraySlice<UInt8>) {
    self.field = field
    self.text = text
    scanner = ByteScanner(text)
  }

  /// The items of the field's list, in the order written.
  mutating func items() throws(ExpressionError) -> [CronItem] {
    if field.isDay, text.count == 1, scanner.isNext("?") { return [.span(field.values, step: 1)] }
    var items: [CronItem] = []
    repeat {
      let position = scanner.position
      let item = try item()
      items.append(item)
      if item.mustBeAlone, items.count > 1 || scanner.isNext(",") {
        throw failure("a day with W cannot be in a list", at: position)
      }
    } while scanner.skip(",")
    guard scanner.isAtEnd else { throw unexpected() }
    return items
  }

  private mutating func item() throws(ExpressionError) -> CronItem {
    if scanner.skip("*") { return .span(field.values, step: try step() ?? 1) }
    if field == .dayOfMonth, scanner.skip("L") { return try lastDay() }
    let position = scanner.position
    let first = try number()
    switch field {
    case .dayOfMonth where scanner.skip("W"): return .nearestWorkday(first)
    case .dayOfWeek where scanner.skip("L"): return .last(weekday: first % 7)
    case .dayOfWeek where scanner.skip("#"): return try ordinal(weekday: first % 7)
    default: break
    }
    if scanner.skip("-") {
      let range = try range(from: first, to: try number(), at: position)
      return .span(range, step: try step() ?? 1)
    }
    guard let step = try step() else { return .span(first...first, step: 1) }
    let isSunday = field == .dayOfWeek && first == 7
    return .span((isSunday ? 0 : first)...field.values.upperBound, step: step)
  }

  private mutating func lastDay() throws(ExpressionError) -> CronItem {
    if scanner.isNext("-") {
      throw failure("days counted back from the last are not supported; L is the last day only", at: scanner.position)
    }
    return scanner.skip("W") ? .lastWorkday : .lastDay
  }

  private func range(from first: Int, to last: Int, at position: Int) throws(ExpressionError) -> ClosedRange<Int> {
    if first <= last { return first...last }
    // A range of weekdays may end in Sunday, in either notation: FRI-SUN, 6-0.
    if field == .dayOfWeek, last == 0 { return first...7 }
    throw failure("the range is backwards: write it as two, such as a-b,c-d", at: position)
  }

  private mutating func ordinal(weekday: Int) throws(ExpressionError) -> CronItem {
    if scanner.skip("L") { return .last(weekday: weekday) }
    let position = scanner.position
    guard let ordinal = try digits(), 1...5 ~= ordinal else {
      throw failure("# must be followed by the occurrence in the month, 1-5, or L for the last", at: position)
    }
    return .ordinal(weekday: weekday, ordinal)
  }

  /// The step after a slash; `nil` without a slash.
  private mutating func step() throws(ExpressionError) -> Int? {
    guard scanner.skip("/") else { return nil }
    let position = scanner.position
    guard let step = try digits() else { throw failure("/ must be followed by a whole number", at: position) }
    guard step > 0 else { throw failure("a step must be at least 1", at: position) }
    return step
  }

  /// A value of the field, as a number or by name.
  private mutating func number() throws(ExpressionError) -> Int {
    let position = scanner.position
    guard let number = try digits() else { return try named() }
    guard field.numbers ~= number else {
      let range = "\(field.numbers.lowerBound)-\(field.numbers.upperBound)"
      throw failure("\(number) is not within \(range)\(hint(forNumber: number))", at: position)
    }
    return number
  }

  private func hint(forNumber number: Int) -> String {
    guard field == .dayOfWeek else { return "" }
    return CronField.year.numbers ~= number
      ? "; a year is the seventh field, after seconds" : "; \(CronField.weekdayNumbers)"
  }

  private mutating func named() throws(ExpressionError) -> Int {
    var ahead = scanner
    var word = ahead.take { $0.isLetter }
    // FRIL is a name followed by L, for the last of the month.
    if field == .dayOfWeek, word.count == 4, word.last?.lowercased == UInt8(ascii: "l") { word = word.dropLast() }
    let index = field.names.firstIndex { $0.utf8.elementsEqual(word) { $0.lowercased == $1.lowercased } }
    guard let index else { throw unexpected(word: word) }
    scanner.advance(by: word.count)
    return field.numbers.lowerBound + index
  }

  /// The digits that follow as a number; `nil` if there are none.
  private mutating func digits() throws(ExpressionError) -> Int? {
    let position = scanner.position
    let digits = scanner.take { $0.isDigit }
    // Prevents overflow.
    guard digits.count <= 4 else { throw failure("a number has at most four digits", at: position) }
    return digits.isEmpty ? nil : digits.reduce(0) { $0 * 10 + $1.digitValue }
  }

  private func failure(_ reason: String, at position: Int) -> ExpressionError {
    ExpressionError(field: field.name, position: position, reason: reason)
  }

  /// The error for an unexpected character; `word` is the run of letters that begins with it.
  private func unexpected(word: ArraySlice<UInt8> = []) -> ExpressionError {
    let position = scanner.position
    guard let byte = scanner.next else { return failure("a value is missing at the end", at: position) }
    let word = String(decoding: word, as: UTF8.self)
    if let hint = hint(for: word.isEmpty ? String(decoding: [byte], as: UTF8.self) : word.uppercased()) {
      return failure(hint, at: position)
    }
    if word.utf8.count > 1 {
      let known = field.names.isEmpty ? "numbers only" : "numbers and \(field.names.joined(separator: " "))"
      return failure("'\(word.prefix(12))' is not valid; this field takes \(known)", at: position)
    }
    return failure("\(byte.quoted) is not expected here", at: position)
  }

  /// Advice for characters of other dialects, and for characters in the wrong field.
  private func hint(for mark: String) -> String? {
    switch mark {
    case "H", "R", "~": "\(mark), which spreads jobs at random, is not supported; use the field `jitter`"
    case "?" where field.isDay: "? must be the only character of its field"
    case "L" where field == .dayOfWeek: "L must follow a day: 5L is the last Friday of the month"
    case "?", "L", "W", "#": "\(mark) is valid in day fields only"
    default: nil
    }
  }
}

extension CronItem {
  /// Whether the item must be the only one of its field.
  fileprivate var mustBeAlone: Bool {
    switch self {
    case .lastWorkday, .nearestWorkday: true
    default: false
    }
  }
}
