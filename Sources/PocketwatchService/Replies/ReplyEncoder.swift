import AMQP
import EventBus
import Recurrence
import Scheduling

/// Encodes replies as AMQP messages: transient, not mandatory, and of no use after a while.
struct ReplyEncoder: Sendable {
  static let deliveryMode = DeliveryMode.transient
  static let expirationMilliseconds = 60_000

  private let events: EventEncoder
  private let sendsUserID: Bool

  init(names: TopologyNames, sendsUserID: Bool) {
    events = EventEncoder(stack: names.stack)
    self.sendsUserID = sendsUserID
  }

  /// - Parameter number: Of the first reply; the others follow it.
  func encode(
    _ replies: [(reply: Reply, route: ReplyRoute)], from number: UInt64, at now: Instant, for server: ServerInfo
  ) -> MessageBatch {
    let time = SendingTime(now)
    return MessageBatch(frameMax: server.frameMax, capacity: replies.count) { batch in
      for (index, (reply, route)) in replies.enumerated() {
        let message = events.encode(reply.content, origin: reply.origin, at: time)
        batch.add(
          number: number + UInt64(index), exchange: route.exchange, routingKey: route.routingKey, mandatory: false,
          {
            $0.append(
              propertiesOf: message, Self.deliveryMode, correlationID: reply.address.correlationID,
              expiration: "\(Self.expirationMilliseconds)", user: sendsUserID ? server.user : nil)
          }, body: { message.writeBody(to: &$0) })
      }
    }
  }
}
