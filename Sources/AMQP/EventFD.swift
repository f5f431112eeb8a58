import CLinux
import Glibc

/// A Linux eventfd that wakes a thread waiting in poll(2). Any thread may signal it.
package final class EventFD: Sendable {
  /// Readable while it is signaled.
  package let descriptor: CInt

  /// Throws when the process has no file descriptors left.
  package init() throws(AMQPError) {
    descriptor = eventfd(0, CInt(EFD_CLOEXEC) | CInt(EFD_NONBLOCK))
    if descriptor < 0 {
      throw AMQPError(.invalidConfiguration, "cannot create an eventfd: \(String(cString: strerror(errno)))")
    }
  }

  deinit { close(descriptor) }

  package func signal() { _ = eventfd_write(descriptor, 1) }

  /// Clears the signal, so that the next wait blocks.
  package func reset() {
    var count: eventfd_t = 0
    _ = eventfd_read(descriptor, &count)
  }

  /// Waits for a signal, at most this long. Does not clear it.
  @discardableResult
  func wait(for duration: Duration) -> Bool {
    var descriptors = [pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)]
    return poll(&descriptors, 1, duration.pollTimeout) > 0
  }
}

extension Duration {
  /// For poll(2): milliseconds, never -1 (no timeout), at most an hour, so that every wait is bounded.
  var pollTimeout: CInt { CInt(min(wholeMilliseconds, 3_600_000)) }

  /// For the C library.
  var timeval: timeval {
    let milliseconds = wholeMilliseconds
    return Glibc.timeval(tv_sec: Int(milliseconds / 1000), tv_usec: Int(milliseconds % 1000) * 1000)
  }
}
