import Glibc
import Recurrence

/// The clock that all processes of a measurement share.
enum WallClock {
  /// Nanoseconds since 1970.
  static var nanoseconds: Int64 {
    var now = timespec()
    clock_gettime(CLOCK_REALTIME, &now)
    return Int64(now.tv_sec) * 1_000_000_000 + Int64(now.tv_nsec)
  }

  static var now: Instant { Instant(milliseconds: nanoseconds / 1_000_000) }

  /// The full second that is at least this many seconds ahead.
  static func second(in seconds: Int64) -> Instant {
    Instant(milliseconds: (now.milliseconds / 1000 + 1 + seconds) * 1000)
  }

  static func wait(until instant: Instant) {
    while case let left = instant.milliseconds - now.milliseconds, left > 0 {
      usleep(UInt32(min(left, 100)) * 1000)
    }
  }

  /// Polls every few milliseconds until the condition holds; false if it did not within this many seconds.
  static func wait(atMost seconds: Double, for condition: () throws -> Bool) rethrows -> Bool {
    let end = nanoseconds + Int64(seconds * 1e9)
    while try !condition() {
      guard nanoseconds < end else { return false }
      usleep(2000)
    }
    return true
  }
}

extension Instant {
  var nanoseconds: Int64 { milliseconds * 1_000_000 }
}
