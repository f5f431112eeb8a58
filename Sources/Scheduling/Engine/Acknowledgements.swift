import Algorithms
import DequeModule
package import Recurrence

/// The unsettled deliveries of one consuming channel, and the frames that settle them: as few as possible.
package struct Acknowledgements {
  /// How a command is settled once its outcome is confirmed.
  package enum Settlement: Hashable, Sendable {
    case acknowledge
    /// `basic.reject` without requeue: the broker moves it to the dead queue.
    case deadLetter
  }

  /// One frame to the broker.
  package enum Frame: Hashable, Sendable {
    /// With `multiple`, settles every delivery up to and including this tag.
    case acknowledge(tag: UInt64, multiple: Bool)
    case reject(tag: UInt64)
  }

  /// What to send to the broker, and the memory that is free again.
  package struct Settled: Equatable, Sendable {
    package var frames: [Frame] = []
    /// Bytes of commands that are no longer in memory.
    package var releasedBytes = 0

    package var isEmpty: Bool { frames.isEmpty && releasedBytes == 0 }
  }

  /// What a delivery is about, and so which earlier deliveries are settled before it.
  package enum Subject: Hashable, Sendable {
    case nothing
    case schedule(ScheduleID)
    /// Any schedule: a command by group or prefix.
    case many
  }

  private struct Entry {
    let tag: UInt64
    let subject: Subject
    var size: Int
    var since: Instant
    var settlement: Settlement?
  }

  /// Deliveries that are not settled yet, by ascending tag.
  private var outstanding: Deque<Entry> = []
  private var settledCount = 0
  private var releasedBytes = 0

  package init() {}

  package var count: Int { outstanding.count }

  /// No open delivery was answered before this instant; nil without open deliveries. It need not belong to the first one:
  /// the clock may have stepped back, or a delivery may be a duplicate.
  package var oldest: Instant? { outstanding.lazy.map(\.since).min() }

  package var isEmpty: Bool { outstanding.isEmpty }

  /// Adds a delivery.
  ///
  /// - Parameters:
  ///   - size: In bytes.
  ///   - since: The command was not answered before this instant.
  package mutating func delivered(_ tag: UInt64, on subject: Subject = .nothing, size: Int = 0, since: Instant) {
    assert(outstanding.last.map { $0.tag < tag } ?? true, "delivery tags ascend")
    outstanding.append(Entry(tag: tag, subject: subject, size: size, since: since))
  }

  /// These deliveries are no longer in memory, but not settled yet.
  package mutating func release(_ tags: some Sequence<UInt64>) {
    for tag in tags {
      guard let index = index(of: tag) else { continue }
      releasedBytes += outstanding[index].size
      outstanding[index].size = 0
    }
  }

  /// The answer to a delivery is remembered as of this instant, which may be before the delivery: for a duplicate it is
  /// the instant of the first answer.
  package mutating func answered(_ tag: UInt64, at instant: Instant) {
    guard let index = index(of: tag) else { return }
    outstanding[index].since = min(outstanding[index].since, instant)
  }

  package mutating func settle(_ tag: UInt64, _ settlement: Settlement) {
    guard let index = index(of: tag), outstanding[index].settlement == nil else { return }
    outstanding[index].settlement = settlement
    settledCount += 1
    assert(settledCount <= outstanding.count, "a delivery is settled once")
  }

  /// Everything that can be settled now, once.
  package mutating func takeSettled() -> Settled {
    let frames = takeFrames()
    defer { releasedBytes = 0 }
    return Settled(frames: frames, releasedBytes: releasedBytes)
  }

  /// The frames for everything that can be settled now: a run of acknowledgements from the oldest delivery on with one
  /// `multiple`, all others one by one.
  ///
  /// Deliveries on one schedule are settled in order, and one on many schedules after all commands before it. Otherwise,
  /// after a crash, an earlier command would be redelivered and applied again without the later one that undid it.
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
    if let lastOfRun {
      assert(outstanding.first.map { $0.tag > lastOfRun } ?? true, "`multiple` settles no open delivery")
      frames.append(.acknowledge(tag: lastOfRun, multiple: true))
    }
    var open: Set<Subject> = []
    outstanding.removeAll { entry in
      let mustWait = entry.subject == .many ? !open.isEmpty : open.contains(entry.subject)
      guard let settlement = entry.settlement, !mustWait else {
        if entry.subject != .nothing { open.insert(entry.subject) }
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
