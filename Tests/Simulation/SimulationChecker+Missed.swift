import Recurrence
import Scheduling

/// Missed slots and nacked ticks.
extension SimulationChecker {
  /// P5: a slot that a policy skips or folds is not sent for the first time. A tick that an earlier process may have
  /// sent is always sent again unchanged.
  mutating func checkMissed(_ tick: Tick, of track: SimulationTrack) {
    guard let step = track.step, let due = track.nextTick?.due, due > markAtStart else { return }
    if let pause = track.control.catchUp, tick.slot <= pause.through {
      guard !track.control.isSlotInDoubt else { return }
      expect(!track.isLeftOut(tick.slot, after: pause), "P28", "\(tick.brief) fell into a pause, and is not skipped")
      let isFolded = pause.policy != .fireOnce || track.next(after: tick.slot).map { $0 > pause.through } ?? true
      return expect(isFolded, "P28", "\(tick.brief) fell into a pause, and is not folded into a later one")
    }
    let lateness = now.wall.milliseconds - due.milliseconds
    guard lateness >= 60_000 else { return }
    let isTooOld = track.catchupMilliseconds.map { lateness > $0 } ?? false
    expect(!isTooOld, "P5", "\(tick.brief), \(lateness) ms late, is older than its catch-up window")
    switch track.definition.misfirePolicy ?? .fireOnce {
    case .fireAll: break
    case .skip: expect(false, "P5", "\(tick.brief), \(lateness) ms late, is not skipped")
    case .fireOnce:
      // Whatever the jitter of the next slot is.
      let jitter = min(track.definition.jitter?.milliseconds ?? 0, step)
      let isNextDue = track.next(after: tick.slot).map { $0.milliseconds + jitter <= now.wall.milliseconds } ?? false
      expect(!isNextDue, "P5", "\(tick.brief), \(lateness) ms late, is not folded into a later one")
    }
  }

  mutating func refused(_ publication: Publication) {
    if let name = OutcomeName(publication) { outcomes[name]?.refusals += 1 }
    guard case .tick(let tick) = publication.event else { return }
    if tick.isTriggered {
      tracks[tick.generation]?.controlled.triggered[tick.slot]?.excuse = .resentAfterRefusal
    }
    guard !tick.isTriggered, var sent = tracks[tick.generation]?.sent[tick.slot] else { return }
    sent.excuse = .resentAfterRefusal
    // A timed-out tick waits already, and its reply no longer matters. A tick that is no longer due, on a clock that
    // was set back, is not retried but sent when it is due again.
    let isWaitedFor = sent.number == publication.number && now.uptime - sent.uptime < 30_000
    if isWaitedFor, let due = tracks[tick.generation]?.nextTick?.due, due <= now.wall {
      sent.refusals.append(now.uptime)
    }
    tracks[tick.generation]?.sent[tick.slot] = sent
  }

  /// P6: a nacked tick is retried for an hour.
  mutating func gaveUp(_ id: ScheduleID, _ slot: Instant) {
    if let (name, tick, hasTarget) = triggered(id, slot) {
      let age = outcomes[name].map { now.uptime - $0.uptime } ?? 0
      let isLong = outcomes[name].map { $0.refusals >= 7 } ?? false || age >= 330_000
      // What cannot leave for a target backs off like what is refused there.
      let owedFor = now.uptime - tick.owedUptime
      if hasTarget { reach(.targetTriggerExpired) }
      expect(
        isLong || hasTarget && owedFor >= 63_000, "P31",
        "the triggered tick of \(slot.rfc3339) is given up after \(age) ms, owed for \(owedFor) ms")
      let refusals = outcomes[name]?.refusals ?? 0
      return expect(
        isAwaited(id) || refusals >= 60 || !mayPublish(id), "P31",
        "the triggered tick of \(slot.rfc3339) is given up after \(refusals) refusals, and no command waits")
    }
    let generation = generations.last {
      tracks[$0]?.definition.id.bytes == id.bytes && tracks[$0]?.firstUptime(of: slot) != nil
    }
    guard let first = generation.flatMap({ tracks[$0]?.firstUptime(of: slot) }) else {
      return expect(false, "P6", "the tick of \(slot.rfc3339) was not sent and is given up")
    }
    if generation.flatMap({ tracks[$0]?.definition.target }) != nil { reach(.targetExpired) }
    let age = now.uptime - first
    expect(age >= 3_600_000, "P6", "the tick of \(slot.rfc3339) is given up after \(age) ms")
  }

  /// Whether a command on a schedule may wait.
  private func isAwaited(_ id: ScheduleID) -> Bool {
    asked[id.bytes]?.open ?? 0 > 0 || submitted.contains { messages[$0]?.maySelect(id.bytes) == true && !isDone($0) }
  }

  /// The triggered tick of a schedule with this instant, and whether it is for a target; it was sent unless it is.
  private func triggered(
    _ id: ScheduleID, _ instant: Instant
  ) -> (name: OutcomeName, tick: SimulationTrack.ControlHistory.TriggeredTick, hasTarget: Bool)? {
    for generation in generations.reversed() {
      guard let track = tracks[generation], track.definition.id.bytes == id.bytes,
        let tick = track.controlled.triggered[instant]
      else { continue }
      let hasTarget = track.definition.target != nil
      guard hasTarget || tick.sentUptime != nil else { continue }
      return (.triggered(generation: generation, instant), tick, hasTarget)
    }
    return nil
  }
}
