import AMQP

/// Any bytes as a property block: what is accepted can be read, and sent on with each change.
func fuzzPropertyBlock(_ bytes: [UInt8]) {
  guard let raw = try? RawProperties(bytes) else { return }
  precondition(raw.forwarded([]) == raw)
  let names = raw.headerNames
  for changes in 0..<16 {
    let changes = RawProperties.Forwarding(rawValue: UInt8(changes))
    let sent = raw.forwarded(changes)
    guard (try? RawProperties(sent.bytes)) == sent else { preconditionFailure("sent on, it is malformed") }
    precondition(sent.messageID == raw.messageID && sent.deliveryMode == raw.deliveryMode)
    precondition(changes.contains(.withoutUserID) ? sent.userID == nil : sent.userID == raw.userID)
    precondition(sent.headerNames.count <= names.count)
    if changes.contains(.negatingDelay), case .milliseconds(let delay) = raw.delay, delay > 0 {
      precondition(sent.delay == .milliseconds(-delay), "\(raw.delay) became \(sent.delay)")
    } else {
      precondition(sent.delay == raw.delay)
    }
  }
}
