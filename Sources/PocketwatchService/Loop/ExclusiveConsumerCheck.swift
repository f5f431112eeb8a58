import AMQP
import Scheduling
import Synchronization

/// Detects another service on the command queue: two would share the commands, each with half of the schedules.
///
/// A consumer found at start may be our own previous connection, which the broker has not closed yet, so it gets 30 seconds, three
/// heartbeats. Two services that start at the same time see no consumer, so the check is repeated a little later. (The broker
/// counts 1 however many consumers wait behind a single active one, so the check requires our own to be cancelled.)
final class ExclusiveConsumerCheck: Sendable {
  static let patienceMilliseconds: Int64 = 30_000

  private let names: TopologyNames
  private let onOtherConsumer: @Sendable (ServiceFailure) -> Void
  /// When the other consumer was first seen, on the monotonic clock.
  private let firstSeen = Mutex<Int64?>(nil)

  init(names: TopologyNames, onOtherConsumer: @escaping @Sendable (ServiceFailure) -> Void) {
    self.names = names
    self.onOtherConsumer = onOtherConsumer
  }

  /// Throws while the queue has a consumer. Reports it after `patienceMilliseconds`.
  func check(on connection: Connection) throws {
    guard let queue = try connection.checkQueue(names.commandQueue), queue.consumers > 0 else {
      firstSeen.withLock { $0 = nil }
      return
    }
    let now = SystemClock.now().uptime
    let since = firstSeen.withLock { seen in
      seen = seen ?? now
      return seen ?? now
    }
    if now - since >= Self.patienceMilliseconds {
      onOtherConsumer(failure)
    }
    throw AMQPError.topology("the queue \(names.commandQueue) has another consumer; waiting for it to stop")
  }

  /// Reports a consumer that was not found at start, so it is not ours, and throws. Call it while not consuming, and only before
  /// the first delivery: a delivery shows that we are the active consumer, and the other one checks.
  func checkAgain(on connection: Connection) throws {
    guard let queue = try connection.checkQueue(names.commandQueue), queue.consumers > 0 else { return }
    onOtherConsumer(failure)
    throw AMQPError.topology("the queue \(names.commandQueue) has another consumer, which started at the same time")
  }

  private var failure: ServiceFailure {
    ServiceFailure(
      .commandsConsumedElsewhere,
      "another service consumes \(names.commandQueue): stop it, or set another POCKETWATCH_STACK for this one")
  }
}
