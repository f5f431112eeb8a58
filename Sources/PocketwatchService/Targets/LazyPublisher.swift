import AMQP

/// Publishes with confirms over a connection of its own that opens when it is first needed: what the broker refuses there
/// (404, 403, 406) stops nothing on the other connections, and an installation that needs none has none.
final class LazyPublisher {
  private let publisher: Publisher
  private var isOpening = false

  /// - Parameters:
  ///   - purpose: What is published, in the name of the connection.
  ///   - onEvent: Called on the connection's thread, one event at a time. It must not block.
  init(
    _ settings: BrokerSettings, purpose: String, window: Int, onEvent: @escaping @Sendable (Publisher.Event) -> Void
  ) throws(AMQPError) {
    publisher = try Publisher(
      options: settings.connectionOptions(name: "\(settings.names.stack) \(purpose)"), window: window,
      // Nothing is published to the default exchange, so an error about any exchange concerns that one only.
      essentialExchange: "", onEvent: onEvent)
  }

  /// Begins to connect, and keeps the connection up from then on.
  func open() throws(AMQPError) {
    guard !isOpening else { return }
    try publisher.start()
    isOpening = true
  }

  func publish(_ batch: MessageBatch, epoch: UInt64) { publisher.publish(batch, epoch: epoch) }

  /// Starts the stop without waiting for it.
  func askToStop() { publisher.askToStop(drainFor: .zero) }

  func stop() { publisher.stop(drainFor: .zero) }
}
