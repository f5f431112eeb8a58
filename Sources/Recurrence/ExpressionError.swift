/// Why an expression (cron, duration, time zone) is invalid: a message for its author.
package struct ExpressionError: Error, Hashable, Sendable, CustomStringConvertible {
  /// The invalid part: `second`, `minute`, `hour`, `day-of-month`, `month`, `day-of-week` or `year` of a cron expression,
  /// `expression` for a cron expression as a whole; `duration`; `timezone`.
  package var field: String

  /// In the whole expression, in bytes from 1; `nil` when the error has no position.
  package var position: Int?

  /// What is wrong and, if useful, what to write instead. Without a full stop.
  package var reason: String

  package init(field: String, position: Int? = nil, reason: String) {
    self.field = field
    self.position = position
    self.reason = reason
  }

  /// For example `minute: 60 is not within 0-59 (character 1)`.
  package var description: String {
    guard let position else { return "\(field): \(reason)" }
    return "\(field): \(reason) (character \(position))"
  }
}
