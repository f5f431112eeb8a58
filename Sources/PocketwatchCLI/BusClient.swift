import AMQP
import ArgumentParser
import Foundation
import PocketwatchService
import Scheduling

/// A client on the bus: publishes commands and questions, and waits for the answer to each.
struct BusClient {
  let settings: BrokerSettings
  private let connection: Connection
  /// A queue of its own, for the answers.
  private let queue: String
  private let timeout: Double

  /// Room for an outcome, which is larger than the command that it echoes.
  static let maximumEventBytes = 16 << 20
  /// Seconds to wait for an answer, unless the user says otherwise.
  private static let patience = 10.0

  /// Runs `body` with a connected client. An error of the broker is printed, and its exit code thrown.
  static func connected(
    to settings: BrokerSettings, _ options: AnswerOptions, _ body: (BusClient) throws -> Void
  ) throws {
    do {
      let connection = try settings.connect(as: "command", maximumBodyBytes: maximumEventBytes)
      defer { connection.close() }
      let queue = try connection.declareClientQueue(settings.names)
      try connection.consume(queue, prefetch: 100, acknowledges: false)
      try connection.enableConfirms()
      let timeout = options.timeout ?? patience
      try body(BusClient(settings: settings, connection: connection, queue: queue, timeout: timeout))
    } catch let error as AMQPError {
      complain("\(error)")
      throw ExitCode.unavailable
    }
  }

  /// Publishes a command and returns its outcome.
  ///
  /// Only two events are bound, since the login may lack the right to outcomes of commands that it never sends.
  ///
  /// - Parameter isMeant: Whether an event that answers the command is the outcome to wait for.
  func send(
    _ command: EventName, _ detail: EventDetail, outcome: EventName,
    where isMeant: (ReceivedEvent) -> Bool = { _ in true }
  ) throws -> ReceivedEvent {
    try connection.bindQueue(queue, to: settings.names.eventBus, events: [outcome, .rejected])
    return try answer(
      to: settings.command(command.rawValue, Array(detail.event(command).utf8)),
      where: isMeant,
      orComplain: "no outcome within \(timeout) s. The command is in the queue \(settings.names.commandQueue) and will"
        + " be answered when a scheduler consumes it; is `pocketwatch serve` running?")
  }

  /// Has replies sent to this client, which questions require.
  func acceptReplies() throws {
    let exchange = settings.names.replyExchange
    guard try connection.checkExchange(exchange) else {
      throw failure(
        "the exchange \(exchange) is missing on the broker: import the definitions"
          + " (`pocketwatch definitions` prints them)")
    }
    try connection.bindQueue(queue, to: exchange, routingKey: queue)
  }

  /// Publishes a question and returns the reply.
  func ask(_ question: EventName, _ detail: EventDetail) throws -> ReceivedEvent {
    var message = settings.command(question.rawValue, Array(detail.event(question).utf8))
    message.properties.replyTo = Array(queue.utf8)
    return try answer(
      to: message,
      orComplain: "no reply within \(timeout) s: is `pocketwatch serve` running, and may it publish to the exchange"
        + " \(settings.names.replyExchange)? `pocketwatch doctor` checks that")
  }

  /// - Parameter complaint: What to print if there is none in time.
  private func answer(
    to message: Message, where isMeant: (ReceivedEvent) -> Bool = { _ in true }, orComplain complaint: String
  ) throws -> ReceivedEvent {
    try settings.publish(message, on: connection)
    let begin = ContinuousClock.now
    let deadline = begin + .seconds(timeout)
    // So that nobody waits for minutes without a word.
    var note = timeout > Self.patience * 2 ? begin + .seconds(Self.patience) : deadline
    while ContinuousClock.now < deadline {
      if note < deadline, ContinuousClock.now >= note {
        complain("no answer yet; waiting for up to \(timeout) s. Is `pocketwatch serve` running?")
        note = deadline
      }
      switch try connection.nextEvent(timeout: note - ContinuousClock.now) {
      case .delivery(let delivery) where delivery.properties.correlationID == message.properties.messageID:
        let event = ReceivedEvent(delivery)
        if isMeant(event) { return event }
      case .returned:
        throw failure(
          "no queue is bound to this event on the exchange \(settings.names.eventBus): import the definitions"
            + " (`pocketwatch definitions` prints them)")
      case .confirmed(_, _, accepted: false):
        throw failure("the broker nacked the message; is the queue \(settings.names.commandQueue) full?")
      case .confirmed, .delivery, .consumerCancelled, .blocked, .unblocked, .markerAnswered, nil:
        continue
      }
    }
    throw failure(complaint)
  }

  private func failure(_ message: String) -> ExitCode {
    complain(message)
    return .unavailable
  }
}

extension Connection {
  /// Declares an exclusive queue `<stack>.cli.<uuid>`, a name that a client's permissions can match.
  func declareClientQueue(_ names: TopologyNames) throws(AMQPError) -> String {
    let queue = "\(names.stack).cli.\(UUID().uuidString.lowercased())"
    try declareQueue(queue, durable: false, exclusive: true, autoDelete: true)
    return queue
  }

  func bindQueue(_ queue: String, to exchange: String, events: [EventName]) throws(AMQPError) {
    for event in events { try bindQueue(queue, to: exchange, routingKey: event.rawValue) }
  }
}
