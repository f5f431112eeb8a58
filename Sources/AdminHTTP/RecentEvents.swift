package import Recurrence
package import Scheduling
import Synchronization

/// An entry of the recent events.
package struct RecentEvent: Hashable, Sendable {
  package enum Kind: String, CaseIterable, Sendable {
    case tick, started, stopped, paused, resumed, triggered, updated, rejected, missed
    case unroutable, nacked, expired

    /// Whether the overview lists it under recent problems.
    var isProblem: Bool {
      switch self {
      case .tick, .started, .stopped, .paused, .resumed, .triggered, .updated: false
      case .rejected, .missed, .unroutable, .nacked, .expired: true
      }
    }
  }

  package var at: Instant
  package var kind: Kind
  package var id: ScheduleID?
  /// The slot of a tick.
  package var slot: Instant?
  /// Of a tick: sent time minus due time, and the time until its confirm.
  package var latenessMilliseconds: Int64?
  package var confirmMilliseconds: Int64?
  /// The reason or cause; may be empty.
  package var detail: String

  package init(
    at: Instant, kind: Kind, id: ScheduleID?, slot: Instant? = nil, latenessMilliseconds: Int64? = nil,
    confirmMilliseconds: Int64? = nil, detail: String = ""
  ) {
    self.at = at
    self.kind = kind
    self.id = id
    self.slot = slot
    self.latenessMilliseconds = latenessMilliseconds
    self.confirmMilliseconds = confirmMilliseconds
    self.detail = detail
  }
}

/// A bounded ring of recent events. The engine's thread appends, readers poll: a tick costs the same with readers and
/// without.
package final class RecentEvents: Sendable {
  package struct Entry: Hashable, Sendable {
    /// Counts events since the start of the service, from 1.
    package var number: Int
    package var event: RecentEvent
  }

  private struct Slot {
    var event: RecentEvent
    var publication: Publication?
  }

  /// Of a tick: its publication number, and when it was published on the monotonic clock, in milliseconds.
  package struct Publication: Sendable {
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
    /// Index in `slots` of the tick with a publication number, at `number % capacity`.
    var indices: [Int]
    /// Recent problems, kept apart so that ticks, which are many, do not evict them.
    var problems: [Entry] = []
  }

  private static let maximumProblems = 100

  private let capacity: Int
  private let ring: Mutex<Ring>

  package init(capacity: Int = 500) {
    self.capacity = max(1, capacity)
    var ring = Ring(indices: [Int](repeating: 0, count: self.capacity))
    ring.slots.reserveCapacity(self.capacity)
    self.ring = Mutex(ring)
  }

  package func append(_ event: RecentEvent, publication: Publication? = nil) {
    ring.withLock { ring in
      let index = ring.count % capacity
      let slot = Slot(event: event, publication: publication)
      if index < ring.slots.count { ring.slots[index] = slot } else { ring.slots.append(slot) }
      ring.count += 1
      if let publication { ring.indices[Int(publication.number % UInt64(capacity))] = index }
      guard event.kind.isProblem else { return }
      ring.problems.append(Entry(number: ring.count, event: event))
      if ring.problems.count > Self.maximumProblems { ring.problems.removeFirst() }
    }
  }

  /// Notes the confirms of publications. Numbers that are no longer kept are ignored.
  package func confirmed(_ numbers: [UInt64], uptime: Int64) {
    ring.withLock { ring in
      for number in numbers {
        let index = ring.indices[Int(number % UInt64(capacity))]
        guard index < ring.slots.count, let publication = ring.slots[index].publication, publication.number == number
        else { continue }
        ring.slots[index].event.confirmMilliseconds = uptime - publication.uptime
      }
    }
  }

  /// The number of the last event; 0 before the first.
  package var lastNumber: Int { ring.withLock { $0.count } }

  /// Recent problems, oldest first, including those that `entries` no longer has.
  package var problems: [Entry] { ring.withLock { $0.problems } }

  /// The retained events with a number above this one, oldest first.
  package func entries(after number: Int = 0) -> [Entry] {
    ring.withLock { ring in
      let first = max(number, ring.count - ring.slots.count, 0)
      guard first < ring.count else { return [] }
      return (first..<ring.count).map { Entry(number: $0 + 1, event: ring.slots[$0 % capacity].event) }
    }
  }
}
