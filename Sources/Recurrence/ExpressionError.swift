/// Why an expression (cron, duration, time zone) was refused: what is wrong and where, in words for the one who wrote it.
package struct ExpressionError: Error, Hashable, Sendable, CustomStringConvertible {
  /// The part at fault: `second`, `minute`, `hour`, `day-of-month`, `month`, `day-of-week` or `year` of a cron expression,
  /// `expression` for a cron expression as a whole; `duration`; `timezone`.
  package var field: String

  /// Where in the whole expression, counted in bytes from 1; `nil` when the fault has no one place.
  package var position: Int?

  /// What is wrong and, where it helps, what to write instead; no full stop.
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
