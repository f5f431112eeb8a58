import CRabbitMQ
import DequeModule
import Glibc

extension Connection {
  /// The next event; nil when none came within the timeout, or `wakeUp` was signaled.
  package func nextEvent(timeout: Duration) throws(AMQPError) -> Event? {
    if pending.isEmpty { try waitForEvents(timeout, orWritable: false) }
    return pending.popFirst()
  }

  /// All events that have arrived, as soon as there is one; empty after the timeout or when `wakeUp` was signaled.
  ///
  /// Serves heartbeats while it waits. Events from before a failure of the connection are returned first; the next call
  /// throws.
  ///
  /// - Parameters:
  ///   - orWritable: Also return when the socket is writable.
  ///   - maximumBytes: Stop reading once the bodies read reach this many bytes.
  package func events(
    waitingUpTo limit: Duration, orWritable: Bool = false, atMostBytes maximumBytes: Int = .max
  ) throws(AMQPError) -> [Event] {
    try waitForEvents(limit, orWritable: orWritable, atMostBytes: maximumBytes)
    defer { pending.removeAll(keepingCapacity: true) }
    return Array(pending)
  }

  private func waitForEvents(_ limit: Duration, orWritable: Bool, atMostBytes: Int = .max) throws(AMQPError) {
    let deadline = SuspendingClock.now + limit
    while true {
      if failure == nil { readAvailableFrames(atMostBytes: atMostBytes) }
      if !pending.isEmpty { return }
      let state = try usable()
      let remaining = deadline - SuspendingClock.now
      if remaining <= .zero { return }
      if waitForSocket(amqp_get_sockfd(state), min(remaining, heartbeatCheck), orWritable: orWritable) { return }
    }
  }

  /// Whether a send would not block.
  package var isWritable: Bool {
    guard let state else { return false }
    return poll(for: POLLOUT, on: amqp_get_sockfd(state))
  }

  /// Whether a descriptor is ready for reading or writing, or becomes ready within the limit.
  func poll(for event: CInt, on descriptor: CInt, within limit: Duration = .zero) -> Bool {
    var descriptor = pollfd(fd: descriptor, events: Int16(event), revents: 0)
    while true {
      let count = Glibc.poll(&descriptor, 1, limit.pollTimeout)
      if count >= 0 || errno != EINTR { return count > 0 }
    }
  }

  /// How often the library checks whether a heartbeat is due or missing. A frozen broker is noticed at most this much
  /// later than two heartbeats.
  private var heartbeatCheck: Duration { .milliseconds(server.heartbeatSeconds * 100) }

  /// Bounded, so that a flood of confirms or deliveries does not stop the caller from sending.
  private static let maximumFramesPerRead = 4096

  /// Reads the frames that have arrived, without waiting. A failure is thrown after the events before it are returned.
  private func readAvailableFrames(atMostBytes: Int) {
    var bytes = 0
    do {
      for _ in 0..<Self.maximumFramesPerRead where bytes < atMostBytes {
        guard let frame = try receiveFrame(within: .zero) else { return }
        defer { releaseBuffers(frame.channel) }
        if frame.frame_type == AMQP_FRAME_BODY { bytes += frame.payload.body_fragment.len }
        try handle(frame)
      }
    } catch {
      // Every error thrown here is in `failure` too.
    }
  }

  /// Waits for the socket; true when the caller was woken or the socket is writable.
  private func waitForSocket(_ socket: CInt, _ limit: Duration, orWritable: Bool) -> Bool {
    var descriptors = [
      pollfd(fd: socket, events: Int16(orWritable ? POLLIN | POLLOUT : POLLIN), revents: 0),
      pollfd(fd: wakeUp?.descriptor ?? -1, events: Int16(POLLIN), revents: 0),
    ]
    guard Glibc.poll(&descriptors, 2, limit.pollTimeout) > 0 else { return false }
    if descriptors[1].revents != 0 {
      wakeUp?.reset()
      return true
    }
    return descriptors[0].revents & Int16(POLLOUT) != 0
  }
}
