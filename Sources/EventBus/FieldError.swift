/// A validation error of a command, without the command's id.
struct FieldError: Error, Hashable {
  /// The path in the event: `cron`, `id`, `DetailType`, `body`.
  var field: String
  /// One sentence that says what to change. Quotes at most 64 bytes of input.
  var reason: String

  init(_ field: String, _ reason: String) {
    self.field = field
    self.reason = reason
  }

  init(_ field: DetailFields.Name, _ reason: String) {
    self.init(field.rawValue, reason)
  }

  init(_ field: IncomingEvent.Name, _ reason: String) {
    self.init(field.rawValue, reason)
  }
}
