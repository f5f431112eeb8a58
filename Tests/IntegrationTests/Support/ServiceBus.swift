import AMQP
import Foundation
import PocketwatchService
import Scheduling
import Synchronization
import Testing

/// A client on the bus of one service: publishes commands and keeps every event of the scheduler.
///
/// Its queue is durable and its connections reconnect, so that it misses nothing when a test stops the broker.
final class ServiceBus: Sendable {
  /// Events in order of arrival. An unreadable one is an issue of the test that waits for it.
  let events = Inflow<ServiceEvent>()
  let names: TopologyNames

  private let url: BrokerURL
  private let options: ConnectionOptions
  /// The publisher's connections, and the confirmed numbers.
  private let epochs = Inflow<UInt64>()
  private let confirms = Inflow<UInt64>()
  private let state = Mutex(State())

  private struct State {
    var publisher: Publisher?
    var consumers: [Consumer] = []
    var epoch: UInt64?
    var lastNumber: UInt64 = 0
  }

  static let eventNames = EventName.published.map(\.rawValue)

  /// Connects, declares the bus and a queue for the scheduler's events.
  init(_ names: TopologyNames, broker: String) async throws {
    self.names = names
    url = try BrokerURL(broker)
    options = ConnectionOptions(
      brokers: [url], connectionName: "\(names.stack) test", rpcTimeout: AMQPTest.patience, maximumBodyBytes: 16 << 20)
    let queue = "\(names.stack).test"
    let topology: @Sendable (Connection) throws -> Void = { connection in
      try connection.declareExchange(names.eventBus, type: "topic")
      try connection.declareQueue(queue)
      for name in Self.eventNames { try connection.bindQueue(queue, to: names.eventBus, routingKey: name) }
    }
    try await consume(queue, setup: topology) { [events] in
      if let event = try? ServiceEvent($0) { events.append(event) }
    }
    let publisher = try Publisher(options: options, onEvent: { [weak self] in self?.received($0) })
    state.withLock { $0.publisher = publisher }
    try publisher.start()
    _ = try await epochs.next("the test's connection for publishing")
  }

  /// Consumes a queue from now on.
  private func consume(
    _ queue: String, setup: @escaping @Sendable (Connection) throws -> Void = { _ in },
    _ take: @escaping @Sendable (Delivery) -> Void
  ) async throws {
    let ups = Inflow<UInt64>()
    let settle = Mutex<Consumer?>(nil)
    let consumer = try Consumer(options: options, queue: queue, prefetch: 500, setup: setup) { event in
      switch event {
      case .up(let epoch, _): ups.append(epoch)
      case .deliveries(let deliveries, let epoch):
        deliveries.forEach(take)
        if let last = deliveries.last { settle.withLock { $0 }?.acknowledge(last.tag, multiple: true, epoch: epoch) }
      case .exhausted, .congested, .suspended, .quiesced, .down: break
      }
    }
    settle.withLock { $0 = consumer }
    state.withLock { $0.consumers.append(consumer) }
    try consumer.start()
    _ = try await ups.next("the test's connection for consuming \(queue)")
  }

  private func received(_ event: Publisher.Event) {
    switch event {
    case .up(let epoch, _):
      state.withLock { $0.epoch = epoch }
      epochs.append(epoch)
    case .down: state.withLock { $0.epoch = nil }
    case .acked(let numbers): numbers.forEach(confirms.append)
    case .nacked, .refused, .refusing, .returned, .unsendable, .blocked, .unblocked: break
    }
  }

  /// Publishes messages in this order and waits until the broker has confirmed them all.
  func send(_ messages: [Message]) async throws {
    let (publisher, epoch, last) = state.withLock { state in
      state.lastNumber += UInt64(messages.count)
      return (state.publisher, state.epoch, state.lastNumber)
    }
    guard let publisher, let epoch else { throw AMQPError(.connectionLost, "the test is not connected for publishing") }
    let first = last - UInt64(messages.count) + 1
    publisher.publish(MessageBatch(zip(first...last, messages)), epoch: epoch)
    for number in first...last { _ = try await confirms.next("the confirm of a command") { $0 == number } }
  }

  /// Waits until it is connected for publishing again, after an outage.
  func reconnected() async throws {
    if state.withLock({ $0.epoch }) == nil { _ = try await epochs.next("the test's connection for publishing") }
  }

  /// Dead-lettered messages from now on; to be called once.
  func deadLetters() async throws -> Inflow<Delivery> {
    let letters = Inflow<Delivery>()
    try await consume(names.deadQueue) { letters.append($0) }
    return letters
  }

  /// Events for this reply_to from now on, with everything else that somebody sends to it.
  ///
  /// - Parameter declaresExchange: Whether to create the exchange of the replies, too.
  func replies(to address: String, declaresExchange: Bool = true) async throws -> Inflow<ServiceEvent> {
    let (events, names) = (Inflow<ServiceEvent>(), names)
    let queue = "\(names.stack).replies.\(UInt32.random(in: .min ... .max))"
    let topology: @Sendable (Connection) throws -> Void = { connection in
      if declaresExchange { try connection.declareExchange(names.replyExchange, type: "direct") }
      try connection.declareQueue(queue, autoDelete: true)
      try connection.bindQueue(queue, to: names.replyExchange, routingKey: address)
    }
    try await consume(queue, setup: topology) { if let event = try? ServiceEvent($0) { events.append(event) } }
    return events
  }

  /// What is published to an exchange from now on.
  ///
  /// - Parameter declares: Whether to create the exchange.
  func messages(
    at exchange: String, key: String = "#", declares: Bool = true
  ) async throws -> Inflow<Delivery> {
    let messages = Inflow<Delivery>()
    let queue = "\(exchange).queue"
    let topology: @Sendable (Connection) throws -> Void = { connection in
      if declares { try connection.declareExchange(exchange, type: "topic") }
      try connection.declareQueue(queue, autoDelete: true)
      try connection.bindQueue(queue, to: exchange, routingKey: key)
    }
    try await consume(queue, setup: topology) { messages.append($0) }
    return messages
  }

  /// A connection for an operator.
  func withConnection<Result>(_ body: (Connection) throws -> Result) throws -> Result {
    let connection = try Connection(to: url, options: options)
    defer { connection.close() }
    return try body(connection)
  }

  /// Closes the connections and, unless the whole broker is removed, deletes everything of this bus from it.
  func close(cleanUp: Bool = true) {
    let (publisher, consumers) = state.withLock { ($0.publisher, $0.consumers) }
    consumers.forEach { $0.stop() }
    publisher?.stop(drainFor: .zero)
    do {
      if let folder = TestEnvironment.eventFolder { try store(for: AsyncAPICheck(folder: folder)) }
    } catch {
      Issue.record("events cannot be stored: \(error)")
    }
    guard cleanUp else { return }
    try? withConnection { connection in
      for queue in [names.commandQueue, names.deadQueue, "\(names.stack).test"] { try connection.deleteQueue(queue) }
      for exchange in [names.eventBus, names.deadExchange, names.replyExchange] {
        try connection.deleteExchange(exchange)
      }
    }
  }
}
