package import Recurrence
package import Scheduling

/// Decodes and validates messages of the command queue.
///
/// Checks all that depends on the message alone, and on the time zones of this machine. Checks that depend on the time or on
/// existing schedules are the engine's.
package struct CommandDecoder: Sendable {
  private let zones: @Sendable (String) -> ZoneRules?
  private let secret: SipHash.Key
  private let operators: Operators

  /// - Parameters:
  ///   - zones: Returns the rules of a time zone by its IANA name; nil for an unknown name.
  ///   - secret: The database's secret, for command keys.
  ///   - operators: Who may select schedules by group or prefix.
  package init(
    zones: @escaping @Sendable (String) -> ZoneRules?, secret: SipHash.Key, operators: Operators = .everyone
  ) {
    self.zones = zones
    self.secret = secret
    self.operators = operators
  }

  /// Decodes a message. Any message gives a result; an invalid one gives a rejection.
  ///
  /// - Parameter source: Where it came from, passed through.
  package func decode(
    _ message: IncomingMessage, from source: CommandSource = .delivery(tag: 0)
  ) -> ReceivedCommand {
    ReceivedCommand(
      source: source, size: message.body.count, origin: Origin(of: message), replyTo: ReplyAddress(of: message),
      content: content(of: message))
  }

  private func content(of message: IncomingMessage) -> ReceivedCommand.Content {
    if EventName.table[message.routingKey[...]]?.isOwn == true { return .ownEvent }
    let event: IncomingEvent
    do throws(FieldError) {
      try Self.checkSize(of: message)
      event = try IncomingEvent(message.body)
    } catch {
      return .malformed(Rejection(command: message.routingKey[...].clipped, field: error.field, reason: error.reason))
    }
    if let detailType = event.detailType, EventName.table[detailType]?.isOwn == true { return .ownEvent }
    do throws(FieldError) {
      let name = try event.commandName(routingKey: message.routingKey)
      guard name.kind == .question else {
        if let batch = try batch(name, of: event, in: message) { return batch }
        return try command(name, of: event, in: message)
      }
      let question = try question(name, of: event)
      guard let address = ReplyAddress(of: message) else {
        throw FieldError("reply_to", "reply_to is required: \(name.rawValue) is answered to no other address")
      }
      return .question(question, to: address)
    } catch {
      return .malformed(
        Rejection(
          id: try? event.fields.id(), command: (event.detailType ?? message.routingKey[...]).clipped,
          field: error.field, reason: error.reason))
    }
  }

  private static func checkSize(of message: IncomingMessage) throws(FieldError) {
    let size = max(message.bodySize, message.body.count)
    guard size <= IncomingMessage.maximumBodySize else {
      throw FieldError("body", "the body has \(size) bytes: at most \(IncomingMessage.maximumBodySize) are accepted")
    }
    guard !message.body.isEmpty else { throw FieldError("body", "the body is empty: send the event as JSON") }
  }

  private func command(
    _ name: EventName, of event: IncomingEvent, in message: IncomingMessage
  ) throws(FieldError) -> ReceivedCommand.Content {
    let key = key(of: message)
    return .command(try command(name, of: event, hasMessageID: key != nil), key: key)
  }

  /// Nil for a command on one schedule.
  private func batch(
    _ name: EventName, of event: IncomingEvent, in message: IncomingMessage
  ) throws(FieldError) -> ReceivedCommand.Content? {
    let time = try event.checked()
    guard let command = try event.fields.batch(name, time: time) else { return nil }
    let field = command.selector.field
    guard operators.includes(message.userID) else {
      let sender = message.userID.map { "user_id is \(Array($0.utf8)[...].quoted)" } ?? "the message has no user_id"
      throw FieldError(
        "user_id", "\(sender): \(field) is for the users that the setting POCKETWATCH_OPERATORS of the service names")
    }
    guard let key = key(of: message) else {
      throw FieldError(
        "message_id",
        "message_id is required with \(field): without it, a command that is delivered twice is done twice")
    }
    return .batch(command, key: key)
  }

  private func command(
    _ name: EventName, of event: IncomingEvent, hasMessageID: Bool
  ) throws(FieldError) -> Command {
    let time = try event.checked()
    switch name {
    case .start:
      let definition = try event.fields.definition(zones: zones)
      return .start(
        Command.Start(
          definition: definition, time: time, ignored: event.fields.unknown(to: .start),
          paused: try event.fields.flag(.paused)))
    case .stop: return .stop(try event.fields.stop())
    case .pause: return .pause(try event.fields.pause(time: time))
    case .resume: return .resume(try event.fields.resume())
    case .trigger:
      let trigger = try event.fields.trigger()
      guard hasMessageID else {
        throw FieldError(
          "message_id", "message_id is required: without it, a Trigger that is delivered twice ticks twice")
      }
      return .trigger(trigger)
    case .update: return .update(try event.fields.update(zones: zones, time: time))
    case .describe, .list, .tick, .started, .stopped, .paused, .resumed, .triggered, .updated, .batchDone, .rejected,
      .described, .listed:
      throw FieldError(.detailType, "\(name.rawValue) is not a command")
    }
  }

  private func question(_ name: EventName, of event: IncomingEvent) throws(FieldError) -> Question {
    _ = try event.checked()
    switch name {
    case .describe: return .describe(try event.fields.describe())
    case .list: return .list(try event.fields.list(secret: secret))
    default: throw FieldError(.detailType, "\(name.rawValue) is not supported by this version")
    }
  }

  private func key(of message: IncomingMessage) -> CommandKey? {
    guard let messageID = message.messageID, !messageID.isEmpty else { return nil }
    return CommandKey(messageID: messageID, body: message.body, secret: secret)
  }
}

extension ReplyAddress {
  /// Nil if the client asks for no reply.
  fileprivate init?(of message: IncomingMessage) {
    guard let replyTo = message.replyTo, !replyTo.isEmpty else { return nil }
    self.init(replyTo: replyTo, correlationID: message.correlationID ?? message.messageID)
  }
}

extension Origin {
  /// The longest `traceparent` or `tracestate` in bytes that is passed on. Longer ones are dropped.
  private static let maximumTraceLength = 512

  fileprivate init(of message: IncomingMessage) {
    self.init(
      messageID: message.messageID, userID: message.userID, traceparent: Self.passable(message.traceparent),
      tracestate: Self.passable(message.tracestate))
  }

  private static func passable(_ trace: String?) -> String? {
    trace.flatMap { $0.utf8.count <= maximumTraceLength ? $0 : nil }
  }
}
