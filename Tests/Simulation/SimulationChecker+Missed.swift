import Recurrence
import Scheduling

/// Slots that were missed, and ticks that the broker refuses.
extension SimulationChecker {
  /// P5: what a policy leaves out or folds is not sent for the first time. What may have been sent by an earlier process is
  /// sent again as it was, in any case.
  mutating func checkMissed(_ tick: Tick, of track: SimulationTrack) {
    guard let step = track.step, let due = track.nextTick?.due, due > markAtStart else { return }
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
    guard case .tick(let tick) = publication.event, var sent = tracks[tick.generation]?.sent[tick.slot] else { return }
    sent.excuse = .resentAfterRefusal
    // What was without an answer for too long waits already, and no answer is of interest any more. What is not due any more,
    // on a clock that was set back, is not tried again, but sent anew when it is.
    let isWaitedFor = sent.number == publication.number && now.uptime - sent.uptime < 30_000
    if isWaitedFor, let due = tracks[tick.generation]?.nextTick?.due, due <= now.wall {
      sent.refusals.append(now.uptime)
    }
    tracks[tick.generation]?.sent[tick.slot] = sent
  }

  /// P6: for an hour a tick that is refused is tried again.
  mutating func gaveUp(_ id: ScheduleID, _ slot: Instant) {
    let generation = generations.last {
      tracks[$0]?.definition.id.bytes == id.bytes && tracks[$0]?.sent[slot]?.firstUptime != nil
    }
    guard let first = generation.flatMap({ tracks[$0]?.sent[slot]?.firstUptime }) else {
      return expect(false, "P6", "the tick of \(slot.rfc3339) was not sent and is given up")
    }
    let age = now.uptime - first
    expect(age >= 3_600_000, "P6", "the tick of \(slot.rfc3339) is given up after \(age) ms")
  }
}
