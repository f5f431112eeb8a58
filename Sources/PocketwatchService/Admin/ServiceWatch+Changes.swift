import AMQP
package import AdminHTTP
import EventBus
import Foundation
package import Scheduling

/// Stop and "start again", published on the event bus like any client's commands, so that they have one order with all others.
extension ServiceWatch {
  package func stop(_ id: ScheduleID, reason: String) async throws(AdminError) {
    try await publish(.stop, id.stopEvent(reason: reason))
  }

  package func startAgain(_ id: ScheduleID) async throws(AdminError) {
    guard let details = try await schedule(id) else { throw AdminError(.notFound, "no schedule has this id") }
    guard details.schedule.nextTick != nil else {
      throw AdminError(
        .conflict, "it has ended, and its payload is not kept: copy the Start event, add the payload, publish it")
    }
    var definition = details.schedule.definition
    definition.ifExists = .replace  // whatever the definition says
    try await publish(.start, definition.startEvent)
  }

  private func publish(_ name: EventName, _ body: [UInt8]) async throws(AdminError) {
    let settings = broker
    let failure: AdminError? = await withCheckedContinuation { continuation in
      // Connections block, so this runs on a new thread.
      let thread = Thread {
        continuation.resume(returning: settings.publishOnce(name, body))
      }
      thread.name = "page command"
      thread.start()
    }
    if let failure { throw failure }
  }
}

extension BrokerSettings {
  /// Publishes one command and waits for its confirm. Nil on success.
  fileprivate func publishOnce(_ name: EventName, _ body: [UInt8]) -> AdminError? {
    do throws(AMQPError) {
      let connection = try connect(as: "page")
      defer { connection.close() }
      return try confirm(command(name.rawValue, body), on: connection)
    } catch {
      return AdminError(.unavailable, "\(error)")
    }
  }

  private func confirm(_ message: Message, on connection: Connection) throws(AMQPError) -> AdminError? {
    try connection.enableConfirms()
    try connection.publish(message)
    let deadline = ContinuousClock.now + .seconds(10)
    while ContinuousClock.now < deadline {
      switch try connection.nextEvent(timeout: deadline - ContinuousClock.now) {
      case .confirmed(_, _, accepted: true): return nil
      case .confirmed(_, _, accepted: false): return AdminError(.unavailable, "the broker nacked the command")
      case .returned: return AdminError(.unavailable, "no queue is bound to commands on \(names.eventBus)")
      case .delivery, .consumerCancelled, .blocked, .unblocked, .markerAnswered, nil: continue
      }
    }
    return AdminError(.unavailable, "the broker did not confirm the command within 10 s")
  }
}
