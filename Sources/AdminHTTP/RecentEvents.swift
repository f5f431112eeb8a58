package import Recurrence
package import Scheduling
import Synchronization

/// Something that happened, for the page of recent events.
package struct RecentEvent: Hashable, Sendable {
  package enum Kind: String, CaseIterable, Sendable {
    case tick, started, stopped, rejected, missed
    case returned = "unroutable"
    case refused = "nacked"
    case givenUp = "expired"

    /// Whether it is what people look for first.
    var isTrouble: Bool {
      switch self {
      case .tick, .started, .stopped: false
      case .rejected, .missed, .returned, .refused, .givenUp: true
      }
    }
  }

  package var at: Instant
  package var kind: Kind
  package var id: ScheduleID?
  /// Of a tick: its nominal instant.
  package var slot: Instant?
  /// Of a tick: how long after it was due it left, and how long the broker took to confirm it.
  package var latenessMilliseconds: Int64?
  package var confirmMilliseconds: Int64?
  /// Reason or cause; empty when there is nothing to say.
  package var words: String

  package init(
    at: Instant, kind: Kind, id: ScheduleID?, slot: Instant? = nil, latenessMilliseconds: Int64? = nil,
    confirmMilliseconds: Int64? = nil, words: String = ""
  ) {
    self.at = at
    self.kind = kind
    self.id = id
    self.slot = slot
    self.latenessMilliseconds = latenessMilliseconds
    self.confirmMilliseconds = confirmMilliseconds
    self.words = words
  }
}

/// The last things that happened, so many and no more. Written by the engine's thread; readers ask, none is called, so that
/// a tick pays for no reader.
package final class RecentEvents: Sendable {
  package struct Entry: Hashable, Sendable {
    /// Counts all events since the start, from 1.
    package var number: Int
    package var event: RecentEvent
  }

  private struct Slot {
    var event: RecentEvent
    var departure: Departure?
  }

  /// Of a tick: under which number it was published, and when on the monotonic clock, in milliseconds.
  package struct Departure: Sendable {
    var number: UInt64
    var uptime: Int64

    package init(number: UInt64, uptime: Int64) {
      self.number = number
      self.uptime = uptime
    }
  }

  private struct Ring {
    var slots: [Slot] = []
    var count = 0
    /// Where in `slots` the tick with a number may be, by the number's remainder.
    var places: [Int]
    /// The last troubles, kept apart, so that ticks, which are many, do not push them out.
    var troubles: [Entry] = []
  }

  private static let troublesKept = 100

  private let capacity: Int
  private let ring: Mutex<Ring>

  package init(capacity: Int = 500) {
    self.capacity = max(1, capacity)
    var ring = Ring(places: [Int](repeating: 0, count: self.capacity))
    ring.slots.reserveCapacity(self.capacity)
    self.ring = Mutex(ring)
  }

  package func append(_ event: RecentEvent, departure: Departure? = nil) {
    ring.withLock { ring in
      let place = ring.count % capacity
      let slot = Slot(event: event, departure: departure)
      if place < ring.slots.count { ring.slots[place] = slot } else { ring.slots.append(slot) }
      ring.count += 1
      if let departure { ring.places[Int(departure.number % UInt64(capacity))] = place }
      guard event.kind.isTrouble else { return }
      ring.troubles.append(Entry(number: ring.count, event: event))
      if ring.troubles.count > Self.troublesKept { ring.troubles.removeFirst() }
    }
  }

  /// The broker confirmed what was published under these numbers; those not kept any more are passed over.
  package func confirmed(_ numbers: [UInt64], uptime: Int64) {
    ring.withLock { ring in
      for number in numbers {
        let place = ring.places[Int(number % UInt64(capacity))]
        guard place < ring.slots.count, let departure = ring.slots[place].departure, departure.number == number else {
          continue
        }
        ring.slots[place].event.confirmMilliseconds = uptime - departure.uptime
      }
    }
  }

  /// The number of the last event; 0 before the first.
  package var lastNumber: Int { ring.withLock { $0.count } }

  /// What went wrong recently, oldest first; also what is not among `entries` any more.
  package var troubles: [Entry] { ring.withLock { $0.troubles } }

  /// Those kept with a number above this one, oldest first.
  package func entries(after number: Int = 0) -> [Entry] {
    ring.withLock { ring in
      let first = max(number, ring.count - ring.slots.count, 0)
      guard first < ring.count else { return [] }
      return (first..<ring.count).map { Entry(number: $0 + 1, event: ring.slots[$0 % capacity].event) }
    }
  }
}
