/// Finds violations of the promises P1 to P11, P27 and P31 in a history, never in the database.
///
/// Schedules whose commands carry a `message_id` are checked exactly. The others may have been applied again after a crash, so
/// only what holds all the same is checked.
struct BusHistoryChecker {
  private(set) var violations: [String] = []
  private(set) var figures = Figures()

  struct Figures {
    /// Commands decided in another order than they were sent.
    var inversions = 0
    var commands = 0, outcomes = 0, ticks = 0, repeats = 0, deadLetters = 0
    var faults: [Fault: Int] = [:]
    /// The most duplicate ticks that a single fault explains.
    var mostRepeats = 0
  }

  /// A Start, and the events of its schedule.
  private struct Track {
    let start: SentCommand
    var started: BusHistory.Received?
    var isKept = false
    var isReplaced = false
    /// First copies, in order of arrival.
    var ticks: [BusHistory.Received] = []
    var stopped: BusHistory.Received?
  }

  private var commands: [Int: SentCommand] = [:]
  private var labels: [Int] = []
  private var confirmed: Set<Int> = []
  private var answers: [Int: BusHistory.Received] = [:]
  private var deadLettered: Set<Int> = []
  private var tracks: [Int: Track] = [:]
  /// The copies of each tick by its body, with the times of sending.
  private var copies: [String: [Int64]] = [:]
  private var bodies: [String: String] = [:]
  private var faults: [(from: Int64, through: Int64)] = []
  /// The last command on each id.
  private var last: [String: SentCommand] = [:]
  /// The ids whose last command was a Stop that was answered with Stopped.
  private var over: Set<String> = []
  /// The schedules that are paused: since the Paused was sent, and until when.
  var pauses: [String: (from: Int64, until: Int64)] = [:]
  /// The Triggers whose tick has arrived.
  var triggered: Set<Int> = []
  /// The last outcome on each id.
  private var lastOutcome: [String: BusHistory.Received] = [:]

  static func check(_ history: BusHistory) -> BusHistoryChecker {
    var checker = BusHistoryChecker()
    for case .published(let command) in history.entries.map(\.event) { checker.last[command.id] = command }
    for entry in history.entries { checker.take(entry) }
    checker.finish()
    return checker
  }

  mutating func expect(_ isKept: Bool, _ promise: String, _ text: @autoclosure () -> String) {
    if !isKept { violations.append("\(promise): \(text())") }
  }

  private mutating func take(_ entry: BusHistory.Entry) {
    switch entry.event {
    case .published(let command):
      commands[command.label] = command
      labels.append(command.label)
      if command.isStart { tracks[command.label] = Track(start: command) }
    case .confirmed(let label): confirmed.insert(label)
    case .received(let event): received(event, at: entry.at)
    case .deadLettered(let messageID): dead(messageID)
    case .fault(let fault):
      figures.faults[fault, default: 0] += 1
      faults.append((entry.at, .max))
    case .recovered:
      for index in faults.indices where faults[index].through == .max { faults[index].through = entry.at }
    }
  }

  private mutating func received(_ event: BusHistory.Received, at now: Int64) {
    if event.isTriggered { return triggeredTick(event, at: now) }
    if event.isTick { return tick(event, at: now) }
    figures.outcomes += 1
    notePause(event)
    if let id = event.id { lastOutcome[id] = event }
    if let label = event.command { answers[label] = answers[label] ?? event }
    switch event.name {
    case "Schedule Started": started(event)
    case "Schedule Stopped":
      if let id = event.id, let command = last[id], command.kind == .stop, event.reason == "stop \(command.label)" {
        over.insert(id)
      }
      guard let label = event.label, tracks[label]?.stopped == nil else { return }
      tracks[label]?.stopped = event
    default: break
    }
  }

  /// The first answer to a Start; later ones answer duplicates.
  private mutating func started(_ event: BusHistory.Received) {
    guard let label = event.command ?? event.label, let track = tracks[label], track.started == nil else { return }
    tracks[label]?.started = event
    tracks[label]?.isKept = event.isKept
    guard !event.isKept else { return }
    for earlier in labels where earlier < label && tracks[earlier]?.start.id == event.id {
      tracks[earlier]?.isReplaced = true
    }
  }

  private mutating func tick(_ event: BusHistory.Received, at now: Int64) {
    figures.ticks += 1
    let key = "\(event.label ?? 0) \(event.id ?? "")@\(event.slot ?? 0)"
    guard let label = event.label, let track = tracks[label], let slot = event.slot else {
      return expect(false, "P6", "a tick of an unknown schedule: \(event.body)")
    }
    expect(event.sent >= slot && now >= slot, "P9", "early: \(event.body), sent at \(event.sent)")
    copies[key, default: []].append(event.sent)
    if let first = bodies[key] {
      figures.repeats += 1
      expect(first == event.body || !track.start.hasMessageID, "P6", "a duplicate differs: \(event.body) was \(first)")
      return
    }
    bodies[key] = event.body
    expect(!track.isKept, "P2", "a Start that kept another schedule ticks: \(event.body)")
    expect(!over.contains(track.start.id), "P10", "after the last command, a Stop: \(event.body)")
    guard track.start.hasMessageID else { return }
    checkPause(of: track.start.id, event)
    expect(track.stopped == nil, "P10", "after its Stopped: \(event.body)")
    expect(!track.isReplaced, "P10", "after another Start of its id: \(event.body)")
    expect(track.ticks.last.map { ($0.slot ?? 0) < slot } ?? true, "P11", "out of order: \(event.body)")
    tracks[label]?.ticks.append(event)
  }

  /// A tick that a Trigger asked for: it counts nothing, but may be repeated like any other.
  private mutating func triggeredTick(_ event: BusHistory.Received, at now: Int64) {
    figures.ticks += 1
    if let label = event.command { triggered.insert(label) }
    let key = "\(event.id ?? "")@\(event.slot ?? 0)/trigger"
    copies[key, default: []].append(event.sent)
    if copies[key]?.count ?? 0 > 1 { figures.repeats += 1 }
    let first = bodies[key] ?? event.body
    expect(first == event.body, "P6", "a duplicate differs: \(event.body) was \(first)")
    bodies[key] = first
    if let id = event.id { expect(!over.contains(id), "P10", "after the last command, a Stop: \(event.body)") }
  }

  private mutating func dead(_ messageID: String) {
    figures.deadLetters += 1
    guard let label = Int(messageID), let command = commands[label] else {
      return expect(false, "P1", "the dead queue has an unknown message: \(messageID)")
    }
    deadLettered.insert(label)
    expect(command.kind == .garbage, "P1", "a valid command is in the dead queue: \(command)")
  }
}

// MARK: - The end

extension BusHistoryChecker {
  private mutating func finish() {
    figures.commands = labels.count
    for label in labels {
      guard let command = commands[label], confirmed.contains(label) else { continue }
      if command.kind == .garbage {
        expect(deadLettered.contains(label), "P1", "garbage \(label) is not in the dead queue")
      }
      if command.hasMessageID || command.isStart {
        expect(answers[label] != nil || tracks[label]?.started != nil, "P3", "unanswered: \(command)")
      }
      if command.name == "Schedule Trigger", answers[label]?.name == "Schedule Triggered" {
        expect(triggered.contains(label), "P31", "\(label) was accepted, and its tick did not come")
      }
      if let track = tracks[label], command.hasMessageID, track.started != nil, !track.isKept { judge(track) }
    }
    judgeRepeats()
    judgeOrder()
  }

  /// P2: commands for one id are decided in the order in which they were sent, whatever was interrupted and how often, so the
  /// last one determines the state. A Stop that overtook its Start is rejected, and the schedule stays live.
  private mutating func judgeOrder() {
    for (id, command) in last.sorted(by: { $0.key < $1.key }) where command.kind == .stop {
      guard confirmed.contains(command.label), let outcome = lastOutcome[id] else { continue }
      figures.inversions += outcome.name == "Schedule Started" ? 1 : 0
      expect(
        outcome.name != "Schedule Started", "P2", "\(id) was started after its last command, a Stop: \(outcome.body)")
      guard id.hasPrefix("pair-"), command.hasMessageID else { continue }
      let isRefused = answers[command.label]?.name == "Schedule Rejected"
      figures.inversions += isRefused ? 1 : 0
      expect(!isRefused, "P2", "the Stop of \(id) was rejected, though its Start was sent before")
    }
  }

  private mutating func judge(_ track: Track) {
    let label = track.start.label
    let counters = track.ticks.compactMap(\.counter)
    expect(counters == Array(counters.indices), "P8", "\(label) counts \(counters)")
    switch track.start.kind {
    case .recurring(let step, let limit, let misfire):
      if !isControlled(track) { judgeSlots(track, step: step, misfire: misfire) }
      // A tick whose confirm was lost before the schedule was stopped may count or not.
      let slack = track.stopped?.reason == "Count Limit Reached" ? 0 : 1
      let reported = track.stopped?.counter ?? counters.count
      expect(
        (0...slack).contains(counters.count - reported), "P8",
        "\(label) ticked \(counters.count) times, says \(reported)")
      guard let limit else { return }
      expect(counters.count <= limit, "P8", "\(label) ticked \(counters.count) times, its limit is \(limit)")
      let hasReached = counters.count == limit
      expect(hasReached || isCutShort(track), "P8", "\(label) ended after \(counters.count) of \(limit) ticks")
      if hasReached, !isCutShort(track) {
        expect(
          track.stopped?.reason == "Count Limit Reached", "P8",
          "\(label) reached its limit and said \(track.stopped?.reason ?? "nothing")")
      }
    case .once:
      expect(counters.count <= 1, "P8", "the one-shot \(label) ticked \(counters.count) times")
      expect(counters.count == 1 || isCutShort(track), "P5", "the one-shot \(label) never ticked")
    case .stop, .control, .garbage: break
    }
  }

  /// Whether a later command on its id may have paused or changed it.
  private func isControlled(_ track: Track) -> Bool {
    labels.contains { label in
      guard label > track.start.label, let command = commands[label] else { return false }
      return command.id == track.start.id && command.isControl
    }
  }

  /// Whether a later command on its id may have ended it.
  private func isCutShort(_ track: Track) -> Bool {
    labels.contains { label in
      guard label > track.start.label, let command = commands[label], command.id == track.start.id else { return false }
      guard let answer = answers[label] else { return command.kind != .garbage }
      return answer.name == "Schedule Stopped" || (answer.name == "Schedule Started" && !answer.isKept)
    }
  }

  /// P5: from the first slot that Started named, each was sent, folded, or skipped as the policy says.
  private mutating func judgeSlots(_ track: Track, step: Int64, misfire: String?) {
    var expected = track.started?.counter == 0 ? track.started?.next : nil
    for tick in track.ticks {
      guard let slot = tick.slot else { continue }
      if let expected {
        let passed = (slot - expected) / step
        let isOnBeat = slot >= expected && (slot - expected) % step == 0
        expect(isOnBeat, "P5", "off its slots, expected \(expected): \(tick.body)")
        switch misfire {
        case "fireAll": expect(passed == 0, "P5", "\(passed) slots left out before \(tick.body)")
        case "skip": expect(tick.missed == 0, "P5", "folded, though its policy is skip: \(tick.body)")
        default:
          // Started may have been answered late, with a slot into which others had been folded.
          let isFirst = tick.counter == 0 && passed < tick.missed
          expect(isFirst || passed == Int64(tick.missed), "P5", "\(passed) slots passed before \(tick.body)")
        }
      }
      expected = tick.next
    }
  }

  /// P7: a tick is repeated only after a fault between the two copies, and no more of them than the window.
  private mutating func judgeRepeats() {
    var explained: [Int: Int] = [:]
    for (tick, times) in copies.sorted(by: { $0.key < $1.key }) {
      for (first, second) in zip(times, times.dropFirst()) {
        let fault = faults.firstIndex { $0.through >= first && $0.from <= second }
        expect(fault != nil, "P7", "\(tick) was repeated at \(second) after \(first) without a fault")
        if let fault { explained[fault, default: 0] += 1 }
      }
    }
    let most = explained.values.max() ?? 0
    figures.mostRepeats = most
    expect(most <= 512, "P7", "one fault led to \(most) duplicates")
  }
}
