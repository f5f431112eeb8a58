import Recurrence
import Scheduling

/// Judges a run by its history alone: which of the promises P1 to P11 were broken.
package struct SimulationChecker {
  package private(set) var violations: [String] = []
  package private(set) var reached: [RareState: Int] = [:]

  var now = Now.second(0)
  var messages: [Int: SimulatedMessage] = [:]
  /// Labels in the order in which they were submitted.
  var submitted: [Int] = []
  var settled: Set<Int> = []
  /// The confirmed answers to each message: a repeat, or one that was delivered again, may get another.
  var answers: [Int: [OutgoingEvent]] = [:]
  var tracks: [Int64: SimulationTrack] = [:]
  /// Generations in the order in which they were made.
  var generations: [Int64] = []
  var effects: [CommandKey: Int] = [:]
  var givenUp: Set<GivenUp> = []
  var crashes = 0
  /// The latest time of the wall clock since it was set far back: what is stored was decided at this time or earlier.
  var highestWall = Instant(milliseconds: .min)
  var mark = Instant(milliseconds: .min)

  struct GivenUp: Hashable {
    var id: ScheduleID
    var slot: Instant
  }

  /// The promises that a history breaks, in words; and how often it reached the states that only a history shows.
  package static func check(_ history: SimulationHistory) -> SimulationChecker {
    var checker = SimulationChecker()
    for case .gaveUp(let id, let slot) in history.entries.map(\.event) {
      checker.reach(.gaveUp)
      checker.givenUp.insert(GivenUp(id: id, slot: slot))
    }
    for entry in history.entries {
      checker.now = entry.now
      checker.highestWall = max(checker.highestWall, entry.now.wall)
      checker.take(entry.event)
    }
    return checker
  }

  mutating func expect(_ isKept: Bool, _ promise: String, _ text: @autoclosure () -> String) {
    if !isKept { violations.append("\(promise): \(text()) at \(now.wall.rfc3339), \(now.uptime)") }
  }

  mutating func reach(_ state: RareState) { reached[state, default: 0] += 1 }

  private mutating func take(_ event: SimulationHistory.Event) {
    switch event {
    case .submitted(let message):
      messages[message.label] = message
      submitted.append(message.label)
    case .sent(let publication): sent(publication)
    case .arrived(let publication): arrived(publication)
    case .confirmed(let publication): confirmed(publication)
    case .refused(let publication):
      guard case .tick(let tick) = publication.event else { return }
      tracks[tick.generation]?.sent[tick.slot]?.excuse = .resentAfterRefusal
    case .committed(let changes): for change in changes { committed(change) }
    case .settled(let label, let settlement): settled(label, settlement)
    case .misbehaved(let text): violations.append("engine: \(text) at \(now)")
    case .gaveUp, .clockStepped: break
    case .clockSetBack:
      reach(.clockSetFarBack)
      highestWall = now.wall
      for generation in generations { tracks[generation]?.clockWasSetBack() }
    case .connectionLost: excuse(.resentAfterLoss)
    case .ended(let isClean):
      if !isClean { crashes += 1 }
      excuse(isClean ? nil : .resentAfterCrash)
    case .finished: finished()
    }
  }

  /// Ticks that were in flight may be sent again; at the end of a process also those that were unconfirmed for too long.
  private mutating func excuse(_ cause: RareState?) {
    for generation in generations {
      guard let slot = tracks[generation]?.pending?.slot, let sent = tracks[generation]?.sent[slot] else { continue }
      let timeout: RareState? = now.uptime - sent.uptime >= 30_000 ? .resentAfterTimeout : nil
      tracks[generation]?.sent[slot]?.excuse = cause ?? sent.excuse ?? timeout
    }
  }
}
