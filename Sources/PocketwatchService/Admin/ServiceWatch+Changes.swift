import AMQP
package import AdminHTTP
import EventBus
import Foundation
import Recurrence
package import Scheduling

/// Changes of a schedule, published on the event bus like any client's commands, so that they have one order with all others.
extension ServiceWatch {
  package func publish(_ change: ScheduleChange, of id: ScheduleID) async throws(AdminError) {
    switch change {
    case .stop(let reason): try await publish(.stop, id.event(.stop(reason: reason)))
    case .restart: try await restart(id)
    case .pause(let end, let reason):
      try await publish(.pause, id.event(.pause(end: end, reason: reason, time: nil)))
    case .resume(let policy): try await publish(.resume, id.event(.resume(misfirePolicy: policy, reason: nil)))
    case .trigger: try await publish(.trigger, id.triggerEvent())
    }
  }

  package func publish(_ command: BatchCommand) async throws(AdminError) {
    try await publish(command.name, command.event)
  }

  private func restart(_ id: ScheduleID) async throws(AdminError) {
    guard let details = try await schedule(id) else { throw AdminError(.notFound, "no schedule has this id") }
    guard details.schedule.nextTick != nil else {
      throw AdminError(
        .conflict, "it has ended, and its payload is not kept: copy the Start event, add the payload, publish it")
    }
    var definition = details.schedule.definition
    definition.ifExists = .replace  // whatever the definition says
    try await publish(.start, definition.startEvent(paused: false))
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
    try publish(message, on: connection)
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
