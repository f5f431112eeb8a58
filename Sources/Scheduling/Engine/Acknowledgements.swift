import Algorithms
import DequeModule
package import Recurrence

/// Which deliveries of one consuming channel are settled, and how the broker is told with few frames.
package struct Acknowledgements {
  /// What becomes of a command once it is answered.
  package enum Settlement: Hashable, Sendable {
    case acknowledge
    /// `basic.reject` without requeue: the broker moves it to the dead queue.
    case deadLetter
  }

  /// One frame to the broker.
  package enum Frame: Hashable, Sendable {
    /// With `multiple`, all up to and with this tag.
    case acknowledge(tag: UInt64, multiple: Bool)
    case reject(tag: UInt64)
  }

  /// What to tell the broker.
  package struct Settled: Equatable, Sendable {
    package var frames: [Frame] = []
    /// Bytes of commands that are in memory no more.
    package var releasedBytes = 0

    package var isEmpty: Bool { frames.isEmpty && releasedBytes == 0 }
  }

  private struct Entry {
    let tag: UInt64
    let id: ScheduleID?
    var size: Int
    var since: Instant
    var settlement: Settlement?
  }

  /// Deliveries not yet acknowledged, by tag, which grows.
  private var outstanding: Deque<Entry> = []
  private var settledCount = 0
  private var releasedBytes = 0

  package init() {}

  package var count: Int { outstanding.count }

  /// Since when the first of them may have been answered; nil when all are acknowledged. That need not be the one that
  /// came first: the clock may have been set back, or one may have been a repeat.
  package var oldest: Instant? { outstanding.lazy.map(\.since).min() }

  package var isEmpty: Bool { outstanding.isEmpty }

  /// A delivery, with the schedule that it is about if there is one, its size, and since when it may have been answered.
  package mutating func delivered(_ tag: UInt64, on id: ScheduleID? = nil, size: Int = 0, since: Instant) {
    outstanding.append(Entry(tag: tag, id: id, size: size, since: since))
  }

  /// These deliveries are in memory no more, though not settled yet.
  package mutating func release(_ tags: some Sequence<UInt64>) {
    for tag in tags {
      guard let index = index(of: tag) else { continue }
      releasedBytes += outstanding[index].size
      outstanding[index].size = 0
    }
  }

  /// What a delivery was answered is remembered as of this instant, perhaps one before it came.
  package mutating func answered(_ tag: UInt64, at instant: Instant) {
    guard let index = index(of: tag) else { return }
    outstanding[index].since = min(outstanding[index].since, instant)
  }

  package mutating func settle(_ tag: UInt64, _ settlement: Settlement) {
    guard let index = index(of: tag), outstanding[index].settlement == nil else { return }
    outstanding[index].settlement = settlement
    settledCount += 1
  }

  /// All that can be said now, and was not said before.
  package mutating func takeSettled() -> Settled {
    let frames = takeFrames()
    defer { releasedBytes = 0 }
    return Settled(frames: frames, releasedBytes: releasedBytes)
  }

  /// The frames that settle all that can be settled now: dead letters one by one, a run of acknowledgements from the
  /// oldest on with one `multiple`, those behind a delivery that is still open one by one.
  ///
  /// Of the deliveries on one schedule none is settled before those that came earlier: an earlier one that is left alone
  /// would be delivered and applied again without the later that undid it.
  package mutating func takeFrames() -> [Frame] {
    guard settledCount > 0 else { return [] }
    settledCount = 0
    var frames: [Frame] = []
    var lastOfRun: UInt64?
    while let entry = outstanding.first, let settlement = entry.settlement {
      outstanding.removeFirst()
      releasedBytes += entry.size
      switch settlement {
      case .acknowledge: lastOfRun = entry.tag
      case .deadLetter: frames.append(.reject(tag: entry.tag))
      }
    }
    if let lastOfRun { frames.append(.acknowledge(tag: lastOfRun, multiple: true)) }
    var open: Set<ScheduleID> = []
    outstanding.removeAll { entry in
      guard let settlement = entry.settlement, entry.id.map({ !open.contains($0) }) ?? true else {
        if let id = entry.id { open.insert(id) }
        return false
      }
      releasedBytes += entry.size
      switch settlement {
      case .acknowledge: frames.append(.acknowledge(tag: entry.tag, multiple: false))
      case .deadLetter: frames.append(.reject(tag: entry.tag))
      }
      return true
    }
    return frames
  }

  private func index(of tag: UInt64) -> Int? {
    let index = outstanding.partitioningIndex { $0.tag >= tag }
    return index < outstanding.count && outstanding[index].tag == tag ? index : nil
  }
}
