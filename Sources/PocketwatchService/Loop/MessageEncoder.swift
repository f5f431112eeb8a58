package import AMQP
import EventBus
package import Recurrence
package import Scheduling

/// From the engine's publication to the AMQP message.
package final class MessageEncoder {
  private let events: EventEncoder
  private let exchange: String
  private let sendsUserID: Bool
  /// The connection that is up.
  package var server: ServerInfo?

  package init(names: TopologyNames, sendsUserID: Bool) {
    events = EventEncoder(stack: names.stack)
    exchange = names.eventBus
    self.sendsUserID = sendsUserID
  }

  /// What leaves together bears one time.
  package func encode(_ publications: [Publication], at now: Instant) -> MessageBatch {
    let time = SendingTime(now)
    return MessageBatch(frameMax: server?.frameMax ?? 0, capacity: publications.count) { batch in
      for publication in publications { batch.add(message(publication, at: time), number: publication.number) }
    }
  }

  private func message(_ publication: Publication, at time: SendingTime) -> Message {
    let event = events.encode(publication, at: time)
    var message = Message(exchange: exchange, routingKey: event.routingKey, mandatory: true, body: event.body)
    message.properties.contentType = OutgoingMessage.contentType
    message.properties.deliveryMode = .persistent
    message.properties.appID = OutgoingMessage.appID
    message.properties.type = event.type
    message.properties.messageID = event.messageID
    message.properties.correlationID = event.correlationID
    message.properties.timestamp = event.timestampSeconds
    message.properties.userID = sendsUserID ? server?.user : nil
    message.properties.headers = Table(event.headers.map { Table.Field(name: $0.name, value: .longString($0.value)) })
    return message
  }
}
