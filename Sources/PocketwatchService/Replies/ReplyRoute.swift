import Scheduling

/// Where a reply is published. The client chooses its address, and must not reach by it what it cannot reach itself.
struct ReplyRoute: Hashable {
  /// Addresses of RabbitMQ's direct reply-to, which the broker makes. They are reached over the default exchange, which
  /// otherwise leads to every queue.
  static let directPrefix = "amq.rabbitmq.reply-to."
  /// Routing keys of the event bus, which somebody may have bound behind the exchange of the replies.
  private static let reservedPrefixes = ["Schedule ", "Message "]

  var exchange: String
  var routingKey: String

  /// Nil for an address that gets no reply.
  init?(_ address: ReplyAddress, names: TopologyNames, answersDirectly: Bool) {
    guard (1...255).contains(address.replyTo.count),
      let routingKey = String(validating: address.replyTo, as: UTF8.self),
      !Self.reservedPrefixes.contains(where: { routingKey.utf8.starts(with: $0.utf8) })
    else { return nil }
    let isDirect = routingKey.utf8.starts(with: Self.directPrefix.utf8)
    guard answersDirectly || !isDirect else { return nil }
    self.routingKey = routingKey
    exchange = isDirect ? "" : names.replyExchange
  }
}
