import AMQP
import EventBus
import Logging
import Scheduling
import Synchronization

/// Turns deliveries of the command queue into commands. First deliveries are decoded. Redelivered ones stay undecoded for the
/// inbox, because decoding one of them may have crashed the process.
final class CommandReader: Sendable {
  private struct State {
    var server: ServerInfo?
    var hasWarned = false
  }

  private let decoder: CommandDecoder
  private let logger: Logger
  private let state = Mutex(State())

  init(decoder: CommandDecoder, logger: Logger) {
    self.decoder = decoder
    self.logger = logger
  }

  /// Sets the broker of the deliveries that follow.
  func connected(to server: ServerInfo) {
    state.withLock { $0.server = server }
  }

  func read(_ delivery: Delivery) -> ReceivedCommand {
    warnOfPriority(delivery.properties)
    let source = CommandSource.delivery(tag: delivery.tag)
    // An oversized command has no effect, in whatever order, and no body to store.
    guard delivery.redelivered, !delivery.isOversized else {
      return decode(IncomingMessage(delivery.properties, delivery), from: source)
    }
    let raw = RawDelivery(
      routingKey: delivery.routingKey, properties: delivery.properties.encoded, body: delivery.body)
    let server = state.withLock(\.server)
    return ReceivedCommand(
      source: source, size: delivery.body.count, origin: Origin(),
      content: .redelivered(raw, deliveries: server.map(delivery.deliveryCount) ?? 0))
  }

  /// Decodes a command of the inbox.
  func read(_ raw: RawDelivery, from source: CommandSource) -> ReceivedCommand {
    let properties = Properties(encoded: raw.properties) ?? Properties()
    return decode(
      IncomingMessage(properties, routingKey: raw.routingKey, body: raw.body, bodySize: raw.body.count), from: source)
  }

  private func decode(_ message: IncomingMessage, from source: CommandSource) -> ReceivedCommand {
    Step.decode.reached(with: message.body)
    return decoder.decode(message, from: source)
  }

  /// Warns once of a command with a priority: quorum queues of RabbitMQ 4 deliver by priority, so a Stop can overtake its Start.
  private func warnOfPriority(_ properties: Properties) {
    guard properties.priority != nil else { return }
    let isFirst = state.withLock { state in
      defer { state.hasWarned = true }
      return !state.hasWarned
    }
    guard isFirst else { return }
    logger.warning(
      """
      received a command with an AMQP priority: RabbitMQ 4 delivers by priority, so commands can overtake each other; send \
      commands without a priority
      """,
      metadata: ["message_id": "\(properties.messageID.map { String(decoding: $0, as: UTF8.self) } ?? "none")"])
  }
}

extension IncomingMessage {
  fileprivate init(_ properties: Properties, _ delivery: Delivery) {
    self.init(
      properties, routingKey: delivery.routingKey, body: delivery.body, bodySize: Int(clamping: delivery.bodySize))
  }

  fileprivate init(_ properties: Properties, routingKey: [UInt8], body: [UInt8], bodySize: Int) {
    self.init(
      routingKey: routingKey, messageID: properties.messageID, replyTo: properties.replyTo,
      correlationID: properties.correlationID, traceparent: properties.headers["traceparent"]?.text,
      tracestate: properties.headers["tracestate"]?.text, userID: properties.userID, body: body, bodySize: bodySize)
  }
}
