import AMQP
import EventBus
import Recurrence
import Scheduling

/// From the engine's publication to the AMQP message.
final class MessageEncoder {
  private let events: EventEncoder
  private let sendsUserID: Bool
  /// The connection that is up.
  var server: ServerInfo?
  /// The last event and the last message, whose memory is used again.
  private var event = OutgoingMessage()
  private var message: Message

  init(names: TopologyNames, sendsUserID: Bool) {
    events = EventEncoder(stack: names.stack)
    self.sendsUserID = sendsUserID
    message = Message(exchange: names.eventBus, routingKey: "", mandatory: true, body: [])
    message.properties.contentType = OutgoingMessage.contentType
    message.properties.deliveryMode = .persistent
    message.properties.appID = OutgoingMessage.appID
  }

  /// What leaves together bears one time.
  func encode(_ publications: [Publication], at now: Instant) -> MessageBatch {
    let time = SendingTime(now)
    var batch = MessageBatch(frameMax: server?.frameMax ?? 0, capacity: publications.count)
    message.properties.userID = sendsUserID ? server?.user : nil
    for publication in publications {
      events.encode(publication, at: time, into: &event)
      fillMessage()
      batch.add(message, number: publication.number)
    }
    return batch
  }

  /// From the event.
  private func fillMessage() {
    message.routingKey = event.routingKey
    message.properties.type = event.type
    message.properties.messageID = event.messageID
    message.properties.correlationID = event.correlationID
    message.properties.timestamp = event.timestampSeconds
    message.properties.headers.fields.removeAll(keepingCapacity: true)
    for header in event.headers {
      message.properties.headers.fields.append(Table.Field(name: header.name, value: .longString(header.value)))
    }
    swap(&message.body, &event.body)
  }
}
