import Recurrence
import Scheduling

/// Validates the envelope.
extension IncomingEvent {
  /// The command named by DetailType, which must equal the routing key byte for byte.
  func commandName(routingKey: [UInt8]) throws(FieldError) -> EventName {
    guard let value = self[.detailType] else {
      throw FieldError(.detailType, "DetailType is required: \(EventName.requestList)")
    }
    guard let detailType = value.text else {
      throw FieldError(.detailType, "DetailType must be a string, not \(value.kind.rawValue)")
    }
    guard detailType.elementsEqual(routingKey) else {
      throw FieldError(
        .detailType, "DetailType must equal the routing key, which is \(routingKey[...].quoted)")
    }
    guard let name = EventName.table[detailType], !name.isOwn else {
      throw FieldError(
        .detailType, "\(detailType.quoted) is not supported by this version: use \(EventName.requestList)")
    }
    return name
  }

  /// Validates the rest of the envelope. Returns the event's time; nil when it has none.
  func checked() throws(FieldError) -> Instant? {
    if let fault { throw fault }
    try checkSource()
    let time = try time()
    try checkDetail()
    return time
  }

  /// Source may be any string.
  private func checkSource() throws(FieldError) {
    if let value = self[.source], value.kind != .string {
      throw FieldError(.source, "Source must be a string, not \(value.kind.rawValue)")
    }
  }

  private func time() throws(FieldError) -> Instant? {
    guard let value = self[.time] else { return nil }
    guard let text = value.text else { throw FieldError(.time, "Time must be a string, not \(value.kind.rawValue)") }
    guard let time = Instant(rfc3339: text) else { throw FieldError(.time, "Time is \(text.quoted): \(rfc3339Hint)") }
    return time
  }

  /// Detail must be an object, or a string that holds one.
  private func checkDetail() throws(FieldError) {
    guard let value = self[.detail] else { throw FieldError(.detail, "Detail is required: an object with the fields") }
    guard value.kind == .object || value.kind == .string else {
      throw FieldError(.detail, "Detail must be an object, not \(value.kind.rawValue)")
    }
  }
}

/// The hint for a malformed time.
let rfc3339Hint = "not an RFC 3339 time such as 2026-11-23T08:30:00Z"
