import Foundation
import Synchronization

/// How long this machine kept a waiting thread from running, all in all: what a bound on time is not about.
final class MachineDelay: Sendable {
  private let total = Mutex(Duration.zero)
  private let begin = SuspendingClock.now

  /// A thread of its own measures, since tests may block those of tasks.
  init() {
    Thread.detachNewThread { [weak self] in
      var last = SuspendingClock.now
      while let delay = self {
        usleep(50_000)
        let now = SuspendingClock.now
        delay.total.withLock { $0 += now - last - .milliseconds(50) }
        last = now
      }
    }
  }

  /// Until now, but for a wait that has not ended yet.
  var sum: Duration { total.withLock(\.self) }

  /// The time since it was made, without these delays.
  var undelayed: Duration { SuspendingClock.now - begin - sum }
}
