/// A length of time as people write it: `1h 30m`, `1.5 hours`, `PT1H30M`, `5000` (milliseconds).
package struct DurationExpression: Hashable, Sendable {
  /// The expression as it was written.
  package let text: String

  /// The length, rounded to the millisecond: 1 ms to 100 years.
  package let milliseconds: Int64

  /// Reads a duration; the error, of field `duration`, says where it cannot be read.
  ///
  /// Terms are a number and a unit and add up. A month is 30.4375 days and a year 365.25 days, since a duration has no date
  /// from which to count.
  package init(_ text: String) throws(ExpressionError) {
    var parser = try DurationParser(text)
    self.text = text
    milliseconds = try parser.milliseconds()
  }
}
