import CDispatch  // where the compiler finds timespec in a release build
import Glibc
import Recurrence
package import Scheduling

/// The clocks of this machine.
package enum SystemClock {
  package static func now() -> Now {
    Now(wall: Instant(milliseconds: milliseconds(CLOCK_REALTIME)), uptime: milliseconds(CLOCK_MONOTONIC))
  }

  /// Whole milliseconds, rounded down, so that no tick is early.
  private static func milliseconds(_ clock: clockid_t) -> Int64 {
    var time = timespec()
    clock_gettime(clock, &time)
    return Int64(time.tv_sec) * 1000 + Int64(time.tv_nsec) / 1_000_000
  }
}
