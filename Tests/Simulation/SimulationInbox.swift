import Scheduling
import SchedulingTestKit

/// The inbox as the checker follows it from stored changes.
struct SimulationInbox {
  private var labels: [InboxPosition: Int] = [:]
  /// How many positions a message has in complete batches.
  private var places: [Int: Int] = [:]
  private var lastComplete: Int64 = 0
  private var lastSequence: Int64 = 0
  private var received: Set<Int> = []
  private var tries: [InboxPosition: Int] = [:]
  private var decided: Set<InboxPosition> = []
  /// By schedule, the last batch whose commands are applied even if they were answered before.
  private var reapplied: [ScheduleID: Int64] = [:]
  /// Messages that ended three processes, at one of their positions.
  private(set) var suspects: Set<Int> = []

  /// Whether a message was ever in a complete batch.
  func hasReceived(_ label: Int) -> Bool { received.contains(label) }

  func holds(_ label: Int) -> Bool { places[label] ?? 0 > 0 }

  mutating func apply(_ change: InboxChange) {
    switch change {
    case .receive(let arrivals, let batch):
      for arrival in arrivals {
        lastSequence += 1
        let position = InboxPosition(batch: batch, deliveries: arrival.deliveries, sequence: lastSequence)
        labels[position] = arrival.raw.number
      }
    case .complete(let batch):
      lastComplete = batch
      for (position, label) in labels where position.batch == batch {
        places[label, default: 0] += 1
        received.insert(label)
      }
    case .discardIncomplete: labels = labels.filter { $0.key.batch <= lastComplete }
    case .remove(let position): _ = remove(position)
    case .reapply(let id, let batch): reapplied[id] = max(batch, reapplied[id] ?? batch)
    case .answered: break
    }
  }

  mutating func tried(_ positions: [InboxPosition], passedOver: [InboxPosition]) {
    for position in positions {
      tries[position, default: 0] += 1
      if tries[position] ?? 0 > 3, let label = labels[position] { suspects.insert(label) }
    }
    for position in passedOver { tries[position, default: 0] -= 1 }
  }

  func label(at position: InboxPosition) -> Int? { labels[position] }

  /// Returns whether it is the first decision of the command at the position.
  mutating func decide(_ position: InboxPosition) -> Bool { decided.insert(position).inserted }

  /// Whether a command is applied even if it was answered before, because an earlier one without key was applied again.
  func mustApply(_ id: ScheduleID, at position: InboxPosition) -> Bool {
    reapplied[id].map { position.batch <= $0 } ?? false
  }

  /// Returns the message at the position.
  mutating func remove(_ position: InboxPosition) -> Int? {
    guard let label = labels.removeValue(forKey: position) else { return nil }
    places[label, default: 0] -= 1
    return label
  }
}
