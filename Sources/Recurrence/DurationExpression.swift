/// A duration as text: `1h 30m`, `1.5 hours`, `PT1H30M`, `5000` (milliseconds).
package struct DurationExpression: Hashable, Sendable {
  /// The expression as written.
  package let text: String

  /// The length, rounded to the millisecond: 1 ms to 100 years.
  package let milliseconds: Int64

  /// Parses a duration. The error is of field `duration`.
  ///
  /// The value is the sum of terms, each a number and a unit. A month is 30.4375 days and a year 365.25 days, because a
  /// duration has no start date.
  package init(_ text: String) throws(ExpressionError) {
    var parser = try DurationParser(text)
    self.text = text
    milliseconds = try parser.milliseconds()
  }
}
