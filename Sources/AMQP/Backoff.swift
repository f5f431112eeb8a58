/// The pause before the next attempt to connect: doubles from 0.1 s to 3 s with full jitter, so that the clients of a
/// restarted broker do not all connect at once.
package struct Backoff: Sendable {
  package static let shortest = Duration.milliseconds(100)
  package static let longest = Duration.seconds(3)
  /// After a connection of at least this long, the pause starts from the shortest again.
  package static let stableAfter = Duration.seconds(10)

  /// The upper end of the next pause.
  private var ceiling = Backoff.shortest

  package init() {}

  /// The pause after a failure.
  ///
  /// - Parameters:
  ///   - floor: The shortest pause for this failure, see `AMQPError.retryFloor`.
  ///   - uptime: How long the connection had been in use when it failed; zero if never.
  package mutating func pause(
    floor: Duration, uptime: Duration, using generator: inout some RandomNumberGenerator
  ) -> Duration {
    if uptime >= Self.stableAfter { ceiling = Self.shortest }
    let milliseconds = Int64.random(in: 0...ceiling.wholeMilliseconds, using: &generator)
    ceiling = min(ceiling * 2, Self.longest)
    return max(floor, Self.shortest, .milliseconds(milliseconds))
  }
}

extension Duration {
  /// Whole milliseconds, rounded up; 0 for a negative duration.
  var wholeMilliseconds: Int64 {
    if self <= .zero { return 0 }
    let (seconds, attoseconds) = components
    let (whole, overflow) = seconds.multipliedReportingOverflow(by: 1000)
    if overflow { return .max / 2 }
    return whole + (attoseconds + 999_999_999_999_999) / 1_000_000_000_000_000
  }
}
