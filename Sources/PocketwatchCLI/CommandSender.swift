import AMQP
import ArgumentParser
import Foundation
import PocketwatchService
import Scheduling

/// Publishes a command as a client would, and waits for its outcome.
struct CommandSender {
  let settings: BrokerSettings
  let answer: AnswerOptions

  /// Room for an outcome, which is larger than the command that it echoes.
  static let maximumOutcomeBytes = 16 << 20

  /// Prints the outcome; throws an exit code unless the command succeeded.
  ///
  /// Only two events are bound, since the login may lack the right to outcomes of commands that it never sends.
  func send(_ name: EventName, _ detail: EventDetail, outcome: EventName) throws {
    let command = settings.command(name.rawValue, Array(detail.event(name).utf8))
    do {
      let connection = try settings.connect(as: "command", maximumBodyBytes: Self.maximumOutcomeBytes)
      defer { connection.close() }
      let queue = try connection.declareReplyQueue(settings.names, bindingTo: [outcome, .rejected])
      try connection.consume(queue, prefetch: 100, acknowledges: false)
      try connection.enableConfirms()
      try connection.publish(command)
      try finish(with: waitForOutcome(of: command, on: connection))
    } catch let error as AMQPError {
      complain("\(error)")
      throw ExitCode.unavailable
    }
  }

  private func waitForOutcome(of command: Message, on connection: Connection) throws -> Delivery {
    let deadline = ContinuousClock.now + .seconds(answer.timeout)
    while ContinuousClock.now < deadline {
      switch try connection.nextEvent(timeout: deadline - ContinuousClock.now) {
      case .delivery(let delivery) where delivery.properties.correlationID == command.properties.messageID:
        return delivery
      case .returned:
        throw failure(
          "no queue is bound to this event on the exchange \(settings.names.eventBus): import the definitions"
            + " (`pocketwatch definitions` prints them)")
      case .confirmed(_, _, accepted: false):
        throw failure("the broker nacked the command; is the queue \(settings.names.commandQueue) full?")
      case .confirmed, .delivery, .consumerCancelled, .blocked, .unblocked, .markerAnswered, nil:
        continue
      }
    }
    throw failure(
      "no outcome within \(answer.timeout) s. The command is in the queue \(settings.names.commandQueue) and will be answered"
        + " when a scheduler consumes it; is `pocketwatch serve` running?")
  }

  private func failure(_ message: String) -> ExitCode {
    complain(message)
    return .unavailable
  }

  private func finish(with outcome: Delivery) throws {
    let event = ReceivedEvent(outcome)
    try printLine(answer.json ? event.json : event.line(coloured: false))
    if event.name == EventName.rejected.rawValue { throw ExitCode.rejected }
  }
}

extension Connection {
  /// Declares an exclusive queue `<stack>.cli.<uuid>`, a name that a client's permissions can match.
  func declareReplyQueue(_ names: TopologyNames, bindingTo events: [EventName]) throws(AMQPError) -> String {
    let queue = "\(names.stack).cli.\(UUID().uuidString.lowercased())"
    try declareQueue(queue, durable: false, exclusive: true, autoDelete: true)
    for event in events { try bindQueue(queue, to: names.eventBus, routingKey: event.rawValue) }
    return queue
  }
}
