import AMQP
import Scheduling
import Synchronization

/// Notices another service on our command queue: two would share the commands between them, each with half of the
/// schedules.
///
/// A consumer that is there when we come may be our own of before, which the broker has not missed yet: so it is given
/// thirty seconds, three heartbeats. Two that come in the same moment both see nobody: so we look once more, a little
/// later. (The broker's count is 1 however many wait beside a single active consumer: we must step aside for the look.)
final class ExclusiveConsumerCheck: Sendable {
  static let patienceMilliseconds: Int64 = 30_000

  private let names: TopologyNames
  private let onStranger: @Sendable (ServiceFailure) -> Void
  /// When the stranger was first seen, on the monotonic clock.
  private let firstSeen = Mutex<Int64?>(nil)

  init(names: TopologyNames, onStranger: @escaping @Sendable (ServiceFailure) -> Void) {
    self.names = names
    self.onStranger = onStranger
  }

  /// Throws while the queue has a consumer; reports it once it has stayed too long.
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
      onStranger(failure)
    }
    throw AMQPError.topology("the queue \(names.commandQueue) has another consumer; waiting for it to go")
  }

  /// Reports a consumer that was not there before we came, and so is none of ours, and throws. To be called while we do
  /// not consume, and not once the broker has delivered to us: then we are the active one, and the other looks.
  func checkAgain(on connection: Connection) throws {
    guard let queue = try connection.checkQueue(names.commandQueue), queue.consumers > 0 else { return }
    onStranger(failure)
    throw AMQPError.topology("the queue \(names.commandQueue) has another consumer, which came when we did")
  }

  private var failure: ServiceFailure {
    ServiceFailure(
      .commandsConsumedElsewhere,
      "another service consumes \(names.commandQueue): stop it, or give this one another POCKETWATCH_STACK")
  }
}
