import CLinux
import CDispatch  // where the compiler finds timespec in a release build
import Glibc
import Recurrence

/// What the engine's thread waits on: a doorbell that any thread may ring, and a wall-clock time.
///
/// The time is kept by a timerfd that is cancelled when the clock is set, so a step of the clock ends the wait.
final class WakeTimer: Sendable {
  private let doorbell: Int32
  private let timer: Int32

  /// - Throws: when the process has no file descriptors left.
  init() throws {
    doorbell = eventfd(0, Int32(EFD_CLOEXEC | EFD_NONBLOCK))
    timer = timerfd_create(CLOCK_REALTIME, Int32(TFD_CLOEXEC | TFD_NONBLOCK))
    guard doorbell >= 0, timer >= 0 else {
      throw ServiceFailure(.system, "no file descriptors are left for the timer: raise the limit (ulimit -n)")
    }
  }

  deinit {
    close(doorbell)
    close(timer)
  }

  /// Ends the wait that is on, or the next one. From any thread.
  func ring() {
    var one: UInt64 = 1
    _ = write(doorbell, &one, MemoryLayout.size(ofValue: one))
  }

  /// Waits for the doorbell, the wall-clock time, a step of the clock, or so many milliseconds, whichever comes first.
  func wait(untilWall wall: Instant?, atMostMilliseconds limit: Int64) {
    set(wall)
    var files = [
      pollfd(fd: doorbell, events: Int16(POLLIN), revents: 0), pollfd(fd: timer, events: Int16(POLLIN), revents: 0),
    ]
    poll(&files, nfds_t(files.count), Int32(clamping: max(0, limit)))
    drain(doorbell)
    drain(timer)
  }

  private func set(_ wall: Instant?) {
    var setting = itimerspec()
    if let wall {
      // A time of zero would disarm the timer: the first nanosecond of 1970 is past all the same.
      let milliseconds = max(0, wall.milliseconds)
      setting.it_value = timespec(
        tv_sec: Int(milliseconds / 1000), tv_nsec: max(1, Int(milliseconds % 1000) * 1_000_000))
    }
    timerfd_settime(timer, Int32(TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET), &setting, nil)
  }

  private func drain(_ file: Int32) {
    var count: UInt64 = 0
    _ = read(file, &count, MemoryLayout.size(ofValue: count))
  }
}
