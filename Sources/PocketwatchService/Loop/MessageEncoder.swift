import AMQP
import EventBus
import Recurrence
import Scheduling

/// From the engine's publication to the AMQP message.
final class MessageEncoder {
  private let events: EventEncoder
  private let exchange: String
  private let sendsUserID: Bool
  /// Our login on the connection that is up.
  var user: String?

  init(names: TopologyNames, sendsUserID: Bool) {
    events = EventEncoder(stack: names.stack)
    exchange = names.eventBus
    self.sendsUserID = sendsUserID
  }

  func encode(_ publication: Scheduling.Publication, at now: Instant) -> AMQP.Publication {
    let event = events.encode(publication, now: now)
    var properties = Properties()
    properties.contentType = OutgoingMessage.contentType
    properties.deliveryMode = .persistent
    properties.appID = OutgoingMessage.appID
    properties.type = event.type
    properties.messageID = event.messageID
    properties.correlationID = event.correlationID
    properties.timestamp = UInt64(clamping: event.timestampSeconds)
    properties.userID = sendsUserID ? user : nil
    for header in event.headers { properties.headers[header.name] = .longString(header.value) }
    let message = Message(
      exchange: exchange, routingKey: event.type, mandatory: true, properties: properties, body: event.body)
    return AMQP.Publication(number: publication.number, message: message)
  }
}
