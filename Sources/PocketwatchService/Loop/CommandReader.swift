import AMQP
import EventBus
import Logging
import Scheduling
import Synchronization

/// Turns deliveries of the command queue into commands: decoded when they come for the first time, as they are for the inbox
/// when the broker has delivered them before. For it may be one of these that ends the process when it is decoded.
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

  /// The broker that the deliveries after this come from.
  func connected(to server: ServerInfo) {
    state.withLock { $0.server = server }
  }

  func read(_ delivery: Delivery) -> ReceivedCommand {
    warnOfPriority(delivery.properties)
    let source = CommandSource.delivery(tag: delivery.tag)
    // One that is too large has no effect, whatever comes before it, and no body that could be kept.
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

  /// A command of the inbox.
  func read(_ raw: RawDelivery, from source: CommandSource) -> ReceivedCommand {
    let properties = Properties(encoded: raw.properties) ?? Properties()
    return decode(
      IncomingMessage(properties, routingKey: raw.routingKey, body: raw.body, bodySize: raw.body.count), from: source)
  }

  private func decode(_ message: IncomingMessage, from source: CommandSource) -> ReceivedCommand {
    Step.decode.reached(with: message.body)
    return decoder.decode(message, from: source)
  }

  /// Quorum queues of RabbitMQ 4 deliver by priority: with one, a Stop can overtake its Start.
  private func warnOfPriority(_ properties: Properties) {
    guard properties.priority != nil else { return }
    let isFirst = state.withLock { state in
      defer { state.hasWarned = true }
      return !state.hasWarned
    }
    guard isFirst else { return }
    logger.warning(
      """
      a command has an AMQP priority: RabbitMQ 4 delivers by priority, so that commands overtake each other; send commands \
      without
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
      routingKey: routingKey, messageID: properties.messageID, traceparent: properties.headers["traceparent"]?.text,
      tracestate: properties.headers["tracestate"]?.text, userID: properties.userID, body: body, bodySize: bodySize)
  }
}
