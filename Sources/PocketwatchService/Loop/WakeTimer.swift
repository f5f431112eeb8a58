import AMQP
import CDispatch  // where the compiler finds timespec in a release build
import CLinux
import Glibc
import Recurrence

/// The wait of the engine's thread, for a signal of any thread or for a wall-clock time.
///
/// A timerfd keeps the time. It is cancelled when the clock is set, so that a clock step ends the wait.
final class WakeTimer: Sendable {
  private let wakeUp: EventFD
  private let timer: Int32

  /// - Throws: when the process has no file descriptors left.
  init() throws {
    do throws(AMQPError) {
      wakeUp = try EventFD()
    } catch {
      throw Self.noDescriptor
    }
    timer = timerfd_create(CLOCK_REALTIME, Int32(TFD_CLOEXEC | TFD_NONBLOCK))
    guard timer >= 0 else { throw Self.noDescriptor }
  }

  deinit { close(timer) }

  private static let noDescriptor = ServiceFailure(
    .system, "no file descriptors are left for the timer: raise the limit (ulimit -n)")

  /// Ends the current wait, or the next one. From any thread.
  func signal() { wakeUp.signal() }

  /// Waits for a signal, the wall-clock time, a clock step, or the limit in milliseconds, whichever comes first.
  func wait(untilWall wall: Instant?, atMostMilliseconds limit: Int64) {
    set(wall)
    var files = [
      pollfd(fd: wakeUp.descriptor, events: Int16(POLLIN), revents: 0),
      pollfd(fd: timer, events: Int16(POLLIN), revents: 0),
    ]
    poll(&files, nfds_t(files.count), Int32(clamping: max(0, limit)))
    wakeUp.reset()
    var expirations: UInt64 = 0
    _ = read(timer, &expirations, MemoryLayout.size(ofValue: expirations))
  }

  private func set(_ wall: Instant?) {
    var setting = itimerspec()
    if let wall {
      // A time of zero would disarm the timer, so it is at least 1 ns.
      let milliseconds = max(0, wall.milliseconds)
      setting.it_value = timespec(
        tv_sec: Int(milliseconds / 1000), tv_nsec: max(1, Int(milliseconds % 1000) * 1_000_000))
    }
    timerfd_settime(timer, Int32(TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET), &setting, nil)
  }
}
