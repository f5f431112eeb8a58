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
    var batch = MessageBatch(frameMax: server?.frameMax ?? 0, capacity: publications.count)
    for publication in publications { batch.add(message(publication, at: time), number: publication.number) }
    return batch
  }

  private func message(_ publication: Publication, at time: SendingTime) -> Message {
    let event = events.encode(publication, at: time)
    var properties = Properties()
    properties.contentType = OutgoingMessage.contentType
    properties.deliveryMode = .persistent
    properties.appID = OutgoingMessage.appID
    properties.type = event.type
    properties.messageID = event.messageID
    properties.correlationID = event.correlationID
    properties.timestamp = UInt64(clamping: event.timestampSeconds)
    properties.userID = sendsUserID ? server?.user : nil
    properties.headers = Table(event.headers.map { Table.Field(name: $0.name, value: .longString($0.value)) })
    return Message(
      exchange: exchange, routingKey: event.type, mandatory: true, properties: properties, body: event.body)
  }
}
