package import Recurrence
package import Scheduling
import SchedulingTestKit

extension Instant {
  /// Noon of 23 November 2026 UTC, from which the tests count.
  package static let noon = Instant(milliseconds: 1_795_435_200_000)

  /// This many seconds after noon.
  package static func second(_ seconds: Int64) -> Instant { noon.advanced(byMilliseconds: seconds * 1000) }

  /// This many milliseconds after noon.
  package static func millisecond(_ milliseconds: Int64) -> Instant { noon.advanced(byMilliseconds: milliseconds) }
}

extension Timing {
  package init(cron text: String) throws { self = .cron(try CronExpression(text)) }
  package init(every text: String) throws { self = .every(try DurationExpression(text)) }
  package init(duration text: String) throws { self = .duration(try DurationExpression(text)) }
}

extension ScheduleID: ExpressibleByStringInterpolation {
  package init(stringLiteral text: String) { self.init(stored: Array(text.utf8)) }
}

extension Schedule {
  /// A live schedule whose next tick is due at its slot.
  package static func live(
    _ definition: Definition, generation: Int64 = 1, counter: Int64 = 0, slot: Instant, due: Instant? = nil
  ) -> Schedule {
    Schedule(
      definition: definition, origin: Origin(), generation: generation, counter: counter,
      state: .live(NextTick(slot: slot, due: due ?? slot)))
  }
}

extension Now {
  /// The same time on both clocks, counted from noon; the monotonic one has an origin of its own.
  package static func second(_ seconds: Int64) -> Now {
    Now(wall: .second(seconds), uptime: 5_000_000 + seconds * 1000)
  }
}

extension [OutgoingEvent] {
  package var ticks: [Tick] { compactMap { if case .tick(let tick) = $0 { tick } else { nil } } }
}

extension OutgoingEvent {
  package var isTick: Bool { if case .tick = self { true } else { false } }
}

extension Publication {
  package var isTick: Bool { event?.isTick == true }
}
