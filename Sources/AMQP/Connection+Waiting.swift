import CRabbitMQ
import Glibc

extension Connection {
  /// The next event; nil when none has come within the time, or the `wakeUp` bell rang.
  package func nextEvent(timeout: Duration) throws(AMQPError) -> Event? {
    if pending.isEmpty { try waitForEvents(timeout, orWritable: false) }
    return pending.popFirst()
  }

  /// Everything the broker has sent, as soon as there is anything; empty when time is over or the bell rang.
  ///
  /// Serves heartbeats while it waits. What came before the connection failed is returned first; the next call throws.
  ///
  /// - Parameters:
  ///   - orWritable: Also return when the socket can take more to send.
  ///   - maximumBytes: Read no further message once the bodies of those read come to this much.
  package func events(
    waitingUpTo limit: Duration, orWritable: Bool = false, atMostBytes maximumBytes: Int = .max
  ) throws(AMQPError) -> [Event] {
    try waitForEvents(limit, orWritable: orWritable, atMostBytes: maximumBytes)
    return pending.takeAll()
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

  /// Whether the kernel takes more to send without making us wait.
  package var isWritable: Bool {
    guard let state else { return false }
    return poll(for: POLLOUT, on: amqp_get_sockfd(state))
  }

  /// Whether a descriptor is ready for reading or writing right now, or will be within the time.
  func poll(for event: CInt, on descriptor: CInt, within limit: Duration = .zero) -> Bool {
    var descriptor = pollfd(fd: descriptor, events: Int16(event), revents: 0)
    while true {
      let count = Glibc.poll(&descriptor, 1, limit.pollTimeout)
      if count >= 0 || errno != EINTR { return count > 0 }
    }
  }

  /// How often the library gets to see whether a heartbeat is to be sent or is missing. A frozen broker is noticed this
  /// much later than two heartbeats at most.
  private var heartbeatCheck: Duration { .milliseconds(server.heartbeatSeconds * 100) }

  /// Bounded, so that a flood of confirms or deliveries does not keep the caller from sending.
  private static let maximumFramesPerRead = 4096

  /// Reads what has arrived, without waiting; a failure is kept for after the events.
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
      // Every error that is thrown here stands in `failure` too.
    }
  }

  /// Waits for the socket; true when the caller has something to do now: it was woken, or the socket is writable.
  private func waitForSocket(_ socket: CInt, _ limit: Duration, orWritable: Bool) -> Bool {
    var descriptors = [
      pollfd(fd: socket, events: Int16(orWritable ? POLLIN | POLLOUT : POLLIN), revents: 0),
      pollfd(fd: wakeUp?.descriptor ?? -1, events: Int16(POLLIN), revents: 0),
    ]
    guard Glibc.poll(&descriptors, 2, limit.pollTimeout) > 0 else { return false }
    if descriptors[1].revents != 0 {
      wakeUp?.silence()
      return true
    }
    return descriptors[0].revents & Int16(POLLOUT) != 0
  }
}
