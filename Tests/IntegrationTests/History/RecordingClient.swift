import AMQP
import Foundation
import PocketwatchService
import Synchronization

/// A client that never gives up: it publishes each command until the broker has confirmed it, and all that it
/// receives goes into the history.
final class RecordingClient: Sendable {
  private struct State {
    var history = BusHistory()
    /// Published and unconfirmed commands in order, by label; duplicates are messages of their own.
    var unconfirmed: [(number: UInt64, command: SentCommand)] = []
    var lastNumber: UInt64 = 0
    var epoch: UInt64?
    var publisher: Publisher?
    var consumers: [Consumer] = []
    /// Deliveries that the broker may repeat, because it may not have received the acknowledgement.
    var seen: Set<[UInt8]> = []
    var lastSent: Int64 = 0
    var outcomeCount = 0
    /// The name of the last outcome for each id.
    var lastOutcome: [String: String] = [:]
  }

  private let names: TopologyNames
  private let options: ConnectionOptions
  private let state = Mutex(State())

  init(_ names: TopologyNames, broker: String) throws {
    self.names = names
    options = ConnectionOptions(
      brokers: [try BrokerURL(broker)], connectionName: "\(names.stack) recorder", maximumBodyBytes: 1 << 20)
  }

  /// Declares its queue, connects, and stays connected.
  func start() throws {
    let queue = "\(names.stack).recorder"
    let setup: @Sendable (Connection) throws -> Void = { [names] connection in
      var arguments = Table()
      arguments["x-queue-type"] = "quorum"
      try connection.declareExchange(names.eventBus, type: "topic")
      try connection.declareQueue(queue, arguments: arguments)
      for name in ServiceBus.eventNames { try connection.bindQueue(queue, to: names.eventBus, routingKey: name) }
    }
    let publisher = try Publisher(options: options, setup: setup) { [self] in published($0) }
    state.withLock { $0.publisher = publisher }
    try publisher.start()
    try consume(queue, setup: setup) { [self] in received($0) }
  }

  /// Watches the dead queue, once it exists.
  func watchDeadLetters() throws {
    try consume(names.deadQueue) { [self] delivery in
      let messageID = String(decoding: delivery.properties.messageID ?? [], as: UTF8.self)
      state.withLock { $0.history.note(.deadLettered(messageID: messageID)) }
    }
  }

  private func consume(
    _ queue: String, setup: @escaping @Sendable (Connection) throws -> Void = { _ in },
    _ take: @escaping @Sendable (Delivery) -> Void
  ) throws {
    let settling = Mutex<Consumer?>(nil)
    let consumer = try Consumer(options: options, queue: queue, prefetch: 500, setup: setup) { event in
      guard case .deliveries(let deliveries, let epoch) = event else { return }
      deliveries.forEach(take)
      if let last = deliveries.last { settling.withLock { $0 }?.acknowledge(last.tag, multiple: true, epoch: epoch) }
    }
    settling.withLock { $0 = consumer }
    state.withLock { $0.consumers.append(consumer) }
    try consumer.start()
  }

  private func received(_ delivery: Delivery) {
    guard let event = (try? ServiceEvent(delivery)).map({ BusHistory.Received($0) }) else { return }
    state.withLock { state in
      let isNew = state.seen.insert(delivery.body).inserted
      if isNew || !delivery.redelivered { state.history.note(.received(event)) }
      if !event.isTick {
        state.outcomeCount += 1
        if let id = event.id { state.lastOutcome[id] = event.name }
      }
      state.lastSent = max(state.lastSent, event.sent)
    }
  }

  private func published(_ event: Publisher.Event) {
    state.withLock { state in
      switch event {
      case .up(let epoch, _):
        state.epoch = epoch
        // Under new numbers, because confirms of old ones may still arrive.
        let waiting = state.unconfirmed.map(\.command)
        state.unconfirmed = []
        for command in waiting { hand(command, in: &state) }
      case .down: state.epoch = nil
      case .acked(let numbers):
        for number in numbers {
          guard let index = state.unconfirmed.firstIndex(where: { $0.number == number }) else { continue }
          state.history.note(.confirmed(label: state.unconfirmed.remove(at: index).command.label))
        }
      case .nacked, .refused, .refusing, .returned, .unsendable, .blocked, .unblocked: break
      }
    }
  }

  /// Publishes a command, now or once it is connected.
  func publish(_ command: SentCommand, isRepeat: Bool) {
    state.withLock { state in
      if !isRepeat { state.history.note(.published(command)) }
      hand(command, in: &state)
    }
  }

  private func hand(_ command: SentCommand, in state: inout State) {
    state.lastNumber += 1
    state.unconfirmed.append((state.lastNumber, command))
    guard let epoch = state.epoch else { return }
    let body = command.kind == .garbage ? command.detail : ServiceBus.event(command.name, command.detail)
    let message = Message(
      exchange: names.eventBus, routingKey: command.name, mandatory: true,
      properties: .named(command.hasMessageID ? "\(command.label)" : nil), body: Array(body.utf8))
    state.publisher?.publish(MessageBatch([(state.lastNumber, message)]), epoch: epoch)
  }

  func note(_ event: BusHistory.Event) { state.withLock { $0.history.note(event) } }

  /// Adds a fault that began at an earlier time, in milliseconds since 1970.
  func note(_ fault: Fault, since time: Int64) { state.withLock { $0.history.note(.fault(fault), at: time) } }

  /// Whether an event of this name was received for the schedule or command with this label.
  func has(_ name: String, _ label: Int) -> Bool {
    history.entries.contains {
      guard case .received(let event) = $0.event, event.name == name else { return false }
      return event.label == label || event.command == label
    }
  }

  var history: BusHistory { state.withLock { $0.history } }

  /// The number of outcomes received.
  var outcomeCount: Int { state.withLock { $0.outcomeCount } }

  /// Whether the last outcome for each of these ids is that of a Stop.
  func haveEnded(_ ids: Set<String>) -> Bool {
    state.withLock { state in
      ids.allSatisfy { id in state.lastOutcome[id].map { $0 != "Schedule Started" } ?? false }
    }
  }

  /// Whether the broker has confirmed every publication.
  var isConfirmed: Bool { state.withLock { $0.unconfirmed.isEmpty } }

  /// When the latest event received was sent, in milliseconds since 1970.
  var lastSent: Int64 { state.withLock { $0.lastSent } }

  func stop() {
    let (publisher, consumers) = state.withLock { ($0.publisher, $0.consumers) }
    consumers.forEach { $0.stop() }
    publisher?.stop(drainFor: .zero)
  }
}
