import Recurrence
import Scheduling

/// Judges a run by its history alone: which of the promises P1 to P11 were broken.
package struct SimulationChecker {
  package private(set) var violations: [String] = []
  package private(set) var reached: [RareState: Int] = [:]

  private var now = Now.second(0)
  private var messages: [Int: SimulatedMessage] = [:]
  /// Labels in the order in which they were submitted.
  private var submitted: [Int] = []
  private var settled: Set<Int> = []
  private var answers: [Int: OutgoingEvent] = [:]
  private var tracks: [Int64: SimulationTrack] = [:]
  /// Generations in the order in which they were made.
  private var generations: [Int64] = []
  private var effects: [CommandKey: Int] = [:]
  private var givenUp: Set<GivenUp> = []
  private var mark = Instant(milliseconds: .min)

  private struct GivenUp: Hashable {
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
      checker.take(entry.event)
    }
    return checker
  }

  private mutating func expect(_ isKept: Bool, _ promise: String, _ text: @autoclosure () -> String) {
    if !isKept { violations.append("\(promise): \(text()) at \(now)") }
  }

  private mutating func reach(_ state: RareState) { reached[state, default: 0] += 1 }

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
    case .gaveUp: break
    case .connectionLost: excuse(.resentAfterLoss)
    case .ended(let isClean): excuse(isClean ? nil : .resentAfterCrash)
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

// MARK: - What is stored

extension SimulationChecker {
  private mutating func committed(_ change: Change) {
    switch change {
    case .start(let schedule): started(schedule)
    case .proceed(let generation, let slot, let state, let counter):
      proceeded(generation, from: slot, to: state, counter)
    case .announced(let generation):
      expect(tracks[generation]?.isStoppedConfirmed == true, "P8", "\(generation) announced without a confirm")
      tracks[generation]?.isAnnounced = true
    case .remember: break
    case .markInDoubt(let through): mark = through
    }
  }

  private mutating func started(_ schedule: Schedule) {
    for earlier in generations where tracks[earlier]?.definition.id == schedule.id {
      if tracks[earlier]?.pending != nil, tracks[earlier]?.isReplaced == false { reach(.replacedLive) }
      let owes = tracks[earlier]?.ending?.owesStopped == true && tracks[earlier]?.isAnnounced == false
      expect(!owes, "P8", "\(earlier) replaced before its Stopped was announced")
      tracks[earlier]?.isReplaced = true
    }
    let track = SimulationTrack(schedule)
    expect(schedule.counter == 0, "P8", "\(schedule.generation) begins with counter \(schedule.counter)")
    if case .cron = schedule.definition.timing, let slot = track.pending?.slot, let step = track.step {
      expect(slot.milliseconds % step == 0, "P5", "\(schedule.generation) begins off its slots, at \(slot)")
    }
    tracks[schedule.generation] = track
    generations.append(schedule.generation)
    countEffect(of: track.label)
  }

  /// P2: one effect of all messages that are the same command.
  private mutating func countEffect(of label: Int) {
    guard case .command(_, let key?)? = messages[label]?.content else { return }
    let count = effects[key, default: 0] + 1
    effects[key] = count
    expect(count == 1, "P2", "message \(label) took effect \(count) times")
  }

  private mutating func proceeded(
    _ generation: Int64, from slot: Instant, to state: Schedule.State, _ counter: Int64
  ) {
    guard let track = tracks[generation], let pending = track.pending, !track.isReplaced, pending.slot == slot else {
      return expect(false, "P6", "\(generation) goes on from \(slot), where it is not")
    }
    tracks[generation]?.state = state
    tracks[generation]?.counter = counter
    if counter == track.counter + 1 {
      advanced(track, generation, from: pending, to: state, counter)
    } else if counter == track.counter {
      passed(track, generation, from: pending, to: state)
    } else {
      expect(false, "P8", "\(generation) counts from \(track.counter) to \(counter)")
    }
  }

  /// After a tick that was confirmed.
  private mutating func advanced(
    _ track: SimulationTrack, _ generation: Int64, from pending: Schedule.Pending, to state: Schedule.State,
    _ counter: Int64
  ) {
    expect(track.confirmed.contains(pending.slot), "P6", "\(generation) advances from \(pending.slot) unconfirmed")
    switch state {
    case .live(let next):
      expect(next.slot == track.next(after: pending.slot), "P5", "\(generation) leaves out slots after \(pending.slot)")
      expect(next.missed == 0, "P5", "\(generation) misses slots after a tick")
      expect(track.limit.map { counter < $0 } ?? true, "P8", "\(generation) goes on beyond its limit")
    case .ended(let ending):
      if track.limit == counter { reach(.limitReached) }
      let reason = track.definition.timing.isOneShot ? nil : Schedule.EndReason.countLimit
      expect(ending.reason == reason, "P8", "\(generation) ends because of \(ending.reason ?? "nothing")")
      expect(reason == nil || track.limit == counter, "P8", "\(generation) ends after \(counter) ticks")
    }
  }

  /// Without a tick: folded, given up or stopped.
  private mutating func passed(
    _ track: SimulationTrack, _ generation: Int64, from pending: Schedule.Pending, to state: Schedule.State
  ) {
    let isGivenUp = givenUp.contains(GivenUp(id: track.definition.id, slot: pending.slot))
    switch state {
    case .live(let next) where isGivenUp && track.sent[pending.slot] != nil:
      tracks[generation]?.givenUp.insert(pending.slot)
      expect(next.slot == track.next(after: pending.slot), "P5", "\(generation) leaves out slots after giving up")
    case .live(let next):
      reach(.folded)
      let count = track.count(from: pending.slot, to: next.slot).map { Int(clamping: $0) + pending.missed }
      expect(count.map { next.missed == min($0, 1000) } ?? false, "P5", "\(generation) folds \(pending) into \(next)")
      expect(track.sent[pending.slot] == nil, "P6", "\(generation) folds \(pending.slot), which was sent")
    case .ended(let ending):
      if ending.reason?.hasPrefix("stop ") == true {
        reach(.stopped)
        if let label = ending.reason.flatMap({ Int($0.dropFirst(5)) }) { countEffect(of: label) }
      } else {
        expect(isGivenUp && track.definition.timing.isOneShot, "P5", "\(generation) ends without a cause")
      }
    }
  }
}

// MARK: - What goes over the wire

extension SimulationChecker {
  private mutating func sent(_ publication: Publication) {
    switch publication.event {
    case .tick(let tick): sent(tick)
    case .started(let started):
      expect(tracks[started.generation] != nil, "P4", "Started \(started.generation) before it was stored")
    case .stopped(let stopped):
      let ending = tracks[stopped.generation]?.ending
      expect(ending?.reason == stopped.reason, "P4", "Stopped \(stopped.generation) before it was stored")
      if tracks[stopped.generation]?.isStoppedSent == true { reach(.stoppedOwedAgain) }
      tracks[stopped.generation]?.isStoppedSent = true
    case .rejected: break
    }
  }

  private mutating func sent(_ tick: Tick) {
    guard let track = tracks[tick.generation] else {
      return expect(false, "P4", "a tick of \(tick.generation), which is not stored")
    }
    let pending = track.pending
    expect(!track.isStoppedSent && !track.isReplaced && pending != nil, "P10", "\(tick.generation) ticks after its end")
    expect(pending?.slot == tick.slot && track.counter == tick.counter, "P6", "\(tick) is not what is stored")
    expect(pending?.missed == tick.missed, "P6", "\(tick) misses \(pending?.missed ?? 0)")
    expect(tick.definition == track.definition, "P6", "\(tick) has another definition")
    let isLast = tick.counter + 1 == track.limit
    expect(tick.nextSlot == (isLast ? nil : track.next(after: tick.slot)), "P5", "\(tick) announces a wrong next slot")
    expect(now.wall >= tick.slot && now.wall >= pending?.due ?? tick.slot, "P9", "\(tick) is early")
    expect(pending.map { [mark] in $0.due <= mark } ?? true, "P7", "\(tick) is beyond the mark")
    if let earlier = track.sent[tick.slot] {
      expect(earlier.tick == tick, "P6", "\(tick) was \(earlier.tick) before")
      let isTimedOut = now.uptime - earlier.uptime >= 30_000
      expect(earlier.excuse != nil || isTimedOut, "P7", "\(tick) is repeated for no reason")
      reach(earlier.excuse ?? .resentAfterTimeout)
    } else {
      expect(
        track.lastSlotSent.map { $0 < tick.slot } ?? true, "P11",
        "\(tick) after \(String(describing: track.lastSlotSent))")
      tracks[tick.generation]?.lastSlotSent = tick.slot
    }
    tracks[tick.generation]?.sent[tick.slot] = SimulationTrack.SentTick(tick: tick, uptime: now.uptime)
  }

  private mutating func arrived(_ publication: Publication) {
    switch publication.event {
    case .stopped(let stopped): tracks[stopped.generation]?.hasStoppedArrived = true
    case .started, .rejected: break
    case .tick(let tick):
      guard let track = tracks[tick.generation], !track.arrived.contains(tick.slot) else { return }
      expect(!track.hasStoppedArrived, "P10", "\(tick) arrives after its Stopped")
      expect(track.arrived.last.map { $0 < tick.slot } ?? true, "P11", "\(tick) arrives out of order")
      tracks[tick.generation]?.arrived.append(tick.slot)
      let bound = track.limit.map { Int($0) + track.givenUp.count } ?? .max
      expect(track.arrived.count < bound, "P8", "\(tick) is one too many for the limit \(bound)")
    }
  }

  private mutating func confirmed(_ publication: Publication) {
    switch publication.event {
    case .tick(let tick): tracks[tick.generation]?.confirmed.insert(tick.slot)
    case .stopped(let stopped) where Schedule.EndReason.isOwn(stopped.reason):
      tracks[stopped.generation]?.isStoppedConfirmed = true
    case .started, .stopped, .rejected:
      answers[publication.origin.label] = publication.event
    }
  }

  /// P1 and P3: a message leaves the queue once, after the answer that it deserves was confirmed.
  private mutating func settled(_ label: Int, _ settlement: Acknowledgements.Settlement) {
    expect(settled.insert(label).inserted, "P1", "message \(label) is settled twice")
    let isRight =
      switch (messages[label]?.content, answers[label], settlement) {
      case (.malformed, .rejected, .deadLetter), (.ownEvent, nil, .deadLetter): true
      case (.command(.start(let start), _), .started(let started), .acknowledge):
        started.definition.id == start.definition.id
      case (.command(.stop(let stop), _), .stopped(let stopped), .acknowledge): stopped.reason == stop.reason
      case (.command(.stop, _), .rejected(let rejection), .acknowledge): rejection.field == "id"
      default: false
      }
    if case .rejected? = answers[label] { reach(settlement == .deadLetter ? .deadLettered : .rejectedState) }
    let answer = answers[label]
    expect(isRight, "P3", "message \(label), \(settlement), was answered \(String(describing: answer))")
  }
}

// MARK: - The end

extension SimulationChecker {
  private mutating func finished() {
    for label in submitted { expect(settled.contains(label), "P1", "message \(label) is left") }
    for generation in generations {
      guard let track = tracks[generation], !track.isReplaced else { continue }
      if let pending = track.pending {
        expect(pending.due > now.wall, "P5", "\(generation) was due at \(pending.due) and was not sent")
      } else if track.ending?.reason == Schedule.EndReason.countLimit {
        // Of a tick that was given up the confirm may have come late.
        let count = track.confirmed.subtracting(track.givenUp).count
        expect(Int64(count) == track.limit, "P8", "\(generation) ended after \(count) ticks")
        expect(track.isAnnounced, "P8", "\(generation) ended without its Stopped")
      }
    }
    checkEndState()
  }

  /// Whatever was delivered again and in whatever pieces, the last command on an id decides what stands there; one that
  /// was sent before does not count.
  private mutating func checkEndState() {
    var last: [ScheduleID: (label: Int, command: Command)] = [:]
    var ids: [ScheduleID] = []
    var keys: Set<CommandKey> = []
    for label in submitted {
      guard case .command(let command, let key)? = messages[label]?.content else { continue }
      if let key, !keys.insert(key).inserted {
        reach(.repeatAnswered)
        continue
      }
      if last.updateValue((label, command), forKey: command.id) == nil { ids.append(command.id) }
    }
    for id in ids {
      let track = generations.last { tracks[$0]?.definition.id == id }.flatMap { tracks[$0] }
      switch last[id]?.command {
      case .start:
        let isStopped = track?.ending?.reason?.hasPrefix("stop ") == true
        expect(!isStopped, "P2", "\(id.text) was stopped by a command older than message \(last[id]?.label ?? 0)")
        expect(track?.label == last[id]?.label, "P2", "\(id.text) is not as message \(last[id]?.label ?? 0) left it")
      case .stop:
        expect(track?.pending == nil, "P2", "\(id.text) lives after message \(last[id]?.label ?? 0) stopped it")
      case nil: break
      }
    }
  }
}
