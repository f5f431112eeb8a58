import AMQP
import ArgumentParser
import Foundation
import PocketwatchService

/// Publishes a command like any client, and waits for the outcome that answers it.
struct CommandSender {
  let settings: BrokerSettings
  let answer: AnswerOptions

  private static let outcomes = ["Schedule Started", "Schedule Stopped", "Schedule Rejected"]

  /// Prints the outcome. Throws the exit code when it is not a success.
  func send(_ detailType: String, _ detail: EventDetail) throws {
    let messageID = UUID().uuidString.lowercased()
    do {
      let connection = try settings.connect(as: "command")
      defer { connection.close() }
      let queue = try connection.declareReplyQueue(settings.names, bindingTo: Self.outcomes)
      try connection.consume(queue, prefetch: 100, acknowledges: false)
      try connection.enableConfirms()
      try connection.publish(message(detailType, detail, messageID: messageID))
      try finish(with: waitForOutcome(of: messageID, on: connection))
    } catch let error as AMQPError {
      complain("\(error)")
      throw ExitCode.unavailable
    }
  }

  private func message(_ detailType: String, _ detail: EventDetail, messageID: String) -> Message {
    var properties = Properties()
    properties.contentType = "application/json"
    properties.deliveryMode = .persistent
    properties.messageID = Array(messageID.utf8)
    return Message(
      exchange: settings.names.eventBus, routingKey: detailType, mandatory: true, properties: properties,
      body: Array(detail.event(detailType).utf8))
  }

  private func waitForOutcome(of messageID: String, on connection: Connection) throws -> Delivery {
    let deadline = ContinuousClock.now + .seconds(answer.timeout)
    while ContinuousClock.now < deadline {
      switch try connection.nextEvent(timeout: deadline - ContinuousClock.now) {
      case .delivery(let delivery) where delivery.properties.correlationID == Array(messageID.utf8):
        return delivery
      case .returned:
        throw failure(
          "no queue is bound to this event on the exchange \(settings.names.eventBus): import the definitions"
            + " (`pocketwatch definitions` prints them)")
      case .confirmed(_, _, accepted: false):
        throw failure("the broker refused the message (basic.nack): is \(settings.names.commandQueue) full?")
      case .confirmed, .delivery, .consumerCancelled, .blocked, .unblocked, nil:
        continue
      }
    }
    throw failure(
      "no answer within \(answer.timeout) s. The command is in the queue \(settings.names.commandQueue) and will be answered"
        + " when a scheduler consumes it: is `pocketwatch serve` running?")
  }

  private func failure(_ message: String) -> ExitCode {
    complain(message)
    return .unavailable
  }

  private func finish(with outcome: Delivery) throws {
    let event = ReceivedEvent(outcome)
    print(answer.json ? event.json : event.line(coloured: false))
    if event.name == "Schedule Rejected" { throw ExitCode.rejected }
  }
}

extension BrokerSettings {
  /// Connects to the first broker of the list that answers.
  func connect(as purpose: String) throws -> Connection {
    var options = connectionOptions(name: "\(names.stack) \(purpose)")
    options.maximumBodyBytes = 16 << 20  // an outcome is larger than the command it echoes
    var last = AMQPError(.unreachable, "no broker is configured")
    for url in urls {
      do {
        return try Connection(to: url, options: options)
      } catch {
        last = error
      }
    }
    throw last
  }
}

extension Connection {
  /// A queue of this connection alone, `<stack>.cli.<uuid>`: a name that a client's rights can allow.
  func declareReplyQueue(_ names: TopologyNames, bindingTo keys: [String]) throws(AMQPError) -> String {
    let queue = "\(names.stack).cli.\(UUID().uuidString.lowercased())"
    try declareQueue(queue, durable: false, exclusive: true, autoDelete: true)
    for key in keys { try bindQueue(queue, to: names.eventBus, routingKey: key) }
    return queue
  }
}
