import CLinux
import Glibc

/// A bell that any thread may ring and that a thread waiting in poll(2) hears: an eventfd.
package final class WakeUp: Sendable {
  /// Readable while the bell rings.
  let descriptor: CInt

  package init() throws(AMQPError) {
    descriptor = eventfd(0, CInt(EFD_CLOEXEC) | CInt(EFD_NONBLOCK))
    if descriptor < 0 {
      throw AMQPError(.invalidConfiguration, "no eventfd can be had: \(String(cString: strerror(errno)))")
    }
  }

  deinit { close(descriptor) }

  package func ring() { _ = eventfd_write(descriptor, 1) }

  /// Stops the ringing, so that the next wait waits.
  func silence() {
    var count: eventfd_t = 0
    _ = eventfd_read(descriptor, &count)
  }

  /// Waits until the bell rings or time is over; does not silence it.
  @discardableResult
  func wait(for duration: Duration) -> Bool {
    var descriptors = [pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)]
    return poll(&descriptors, 1, duration.pollTimeout) > 0
  }
}

extension Duration {
  /// For poll(2): milliseconds, never -1 ("for ever"), at most an hour so that every sleep is bounded.
  var pollTimeout: CInt { CInt(min(wholeMilliseconds, 3_600_000)) }

  /// For the C library.
  var timeval: timeval {
    let milliseconds = wholeMilliseconds
    return Glibc.timeval(tv_sec: Int(milliseconds / 1000), tv_usec: Int(milliseconds % 1000) * 1000)
  }
}
