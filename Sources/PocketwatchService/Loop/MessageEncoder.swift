package import AMQP
import EventBus
package import Recurrence
package import Scheduling

/// Encodes the engine's publications as AMQP messages.
package final class MessageEncoder {
  private let events: EventEncoder
  private let exchange: String
  private let deadExchange: String
  private let sendsUserID: Bool
  /// The server of the current connection.
  package var server: ServerInfo?

  package init(names: TopologyNames, sendsUserID: Bool) {
    events = EventEncoder(stack: names.stack)
    exchange = names.eventBus
    deadExchange = names.deadExchange
    self.sendsUserID = sendsUserID
  }

  /// Returns the size of an event's body in bytes, which does not depend on the sending time.
  package static func bodyBytes(_ names: TopologyNames) -> @Sendable (OutgoingEvent) -> Int {
    let events = EventEncoder(stack: names.stack)
    return { event in
      events.encode(event, origin: Origin(), at: SendingTime(Instant(milliseconds: 0))).body.count
    }
  }

  /// All messages of a batch have the same time.
  package func encode(_ publications: [Publication], at now: Instant) -> MessageBatch {
    let time = SendingTime(now)
    let user = sendsUserID ? server?.user : nil
    return MessageBatch(frameMax: server?.frameMax ?? 0, capacity: publications.count) { batch in
      for publication in publications {
        switch publication.content {
        case .event(.tick(let tick)) where tick.definition.hasTarget:
          guard let message = events.encodeTarget(of: tick, origin: publication.origin, at: time) else { continue }
          add(message, from: user, number: publication.number, to: &batch)
        case .event(let event):
          let message = events.encode(event, origin: publication.origin, at: time)
          add(message, from: user, number: publication.number, to: &batch)
        case .deadLetter(let raw): batch.add(Message(raw, for: deadExchange), number: publication.number)
        }
      }
    }
  }

  private func add(
    _ message: OutgoingMessage, from user: String?, number: UInt64, to batch: inout MessageBatch.Filling
  ) {
    batch.add(
      number: number, exchange: exchange, routingKey: message.routingKey, mandatory: true,
      {
        $0.append(
          propertiesOf: message, DeliveryMode(rawValue: OutgoingMessage.deliveryMode),
          correlationID: message.correlationID, user: user)
      }, body: { message.writeBody(to: &$0) })
  }
}

extension MessageEncoder {
  private func add(
    _ message: TargetMessage, from user: String?, number: UInt64, to batch: inout MessageBatch.Filling
  ) {
    let target = message.target
    batch.add(
      number: number, exchange: target.exchange ?? exchange, routingKey: target.key, mandatory: true,
      {
        $0.append(message.contentType, as: .contentType)
        $0.appendHeaders { headers in
          message.forEachHeader { headers.append(header: $0, $1) }
          for header in target.headers ?? [] { headers.append(header: header.name, FieldValue(header.value)) }
        }
        $0.append(DeliveryMode(rawValue: OutgoingMessage.deliveryMode))
        if let priority = target.priority { $0.append(priority: priority) }
        $0.append(message.correlationID, as: .correlationID)
        $0.append(target.expiration, as: .expiration)
        $0.append(message.messageID, as: .messageID)
        $0.append(timestamp: message.timestampSeconds)
        $0.append(message.type, as: .type)
        $0.append(user, as: .userID)
        $0.append(OutgoingMessage.appID, as: .appID)
      }, body: { message.writeBody(to: &$0) })
  }
}

extension FieldValue {
  fileprivate init(_ value: Target.HeaderValue) {
    self =
      switch value {
      case .text(let text): .string(text)
      case .integer(let number): .int64(number)
      case .boolean(let value): .boolean(value)
      }
  }
}

extension FrameWriter {
  /// - Parameters:
  ///   - expiration: In milliseconds, as text.
  ///   - user: The login of the connection, if events carry it.
  mutating func append(
    propertiesOf message: OutgoingMessage, _ deliveryMode: DeliveryMode, correlationID: [UInt8]?,
    expiration: String? = nil, user: String?
  ) {
    append(OutgoingMessage.contentType, as: .contentType)
    appendHeaders { headers in message.forEachHeader { headers.append(header: $0, $1) } }
    append(deliveryMode)
    append(correlationID, as: .correlationID)
    append(expiration, as: .expiration)
    append(message.messageID, as: .messageID)
    append(timestamp: message.timestampSeconds)
    append(message.type, as: .type)
    append(user, as: .userID)
    append(OutgoingMessage.appID, as: .appID)
  }
}

extension Message {
  /// A command for the dead queue, unchanged except for two properties that become headers: the broker would refuse a foreign
  /// `user_id`, and an `expiration` would remove the message.
  fileprivate init(_ raw: RawDelivery, for exchange: String) {
    var properties = Properties(encoded: raw.properties) ?? Properties()
    if let userID = properties.userID { properties.headers["pocketwatch-user-id"] = .string(userID) }
    if let expiration = properties.expiration { properties.headers["pocketwatch-expiration"] = .string(expiration) }
    (properties.userID, properties.expiration) = (nil, nil)
    self.init(
      exchange: exchange, routingKey: String(decoding: raw.routingKey, as: UTF8.self), mandatory: true,
      properties: properties, body: raw.body)
  }
}
