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
    let user = sendsUserID ? server?.user : nil
    return MessageBatch(frameMax: server?.frameMax ?? 0, capacity: publications.count) { batch in
      for publication in publications {
        add(events.encode(publication, at: time), from: user, number: publication.number, to: &batch)
      }
    }
  }

  private func add(
    _ message: OutgoingMessage, from user: String?, number: UInt64, to batch: inout MessageBatch.Filling
  ) {
    batch.add(
      number: number, exchange: exchange, routingKey: message.routingKey, mandatory: true,
      { properties in
        properties.append(OutgoingMessage.contentType, as: .contentType)
        properties.appendHeaders { headers in message.forEachHeader { headers.append(header: $0, $1) } }
        properties.append(DeliveryMode(rawValue: OutgoingMessage.deliveryMode))
        properties.append(message.correlationID, as: .correlationID)
        properties.append(message.messageID, as: .messageID)
        properties.append(timestamp: message.timestampSeconds)
        properties.append(message.type, as: .type)
        properties.append(user, as: .userID)
        properties.append(OutgoingMessage.appID, as: .appID)
      }, body: { message.writeBody(to: &$0) })
  }
}
