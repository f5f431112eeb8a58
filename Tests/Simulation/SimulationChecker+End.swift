import Recurrence
import Scheduling

/// What must hold once nothing is left to do.
extension SimulationChecker {
  mutating func finished(but exception: Exception = Exception()) {
    let poisoned = exception.poisoned
    for label in inbox.suspects where !isAbout(poisoned, label) && isDone(label) {
      expect(deadLettered.contains(label), "P1", "message \(label) ended three processes and is not in the dead queue")
    }
    for label in submitted where !isAbout(poisoned, label) {
      expect(isDone(label), "P1", "message \(label) is left")
    }
    finishedBatches(but: poisoned)
    for generation in generations {
      guard let track = tracks[generation], !track.isReplaced, !isLeftOut(track, exception) else { continue }
      if exception.hasRoomForOwed { finishedControl(of: generation, track) }
      let count = track.confirmed.subtracting(track.givenUp).count + track.countedBefore
      if let nextTick = track.nextTick {
        // A process may have ended over a confirm of the next tick.
        let counted = count - (track.confirmed.subtracting(track.givenUp).contains(nextTick.slot) ? 1 : 0)
        expect(
          track.wasSetBack || Int64(counted) == track.counter, "P8",
          "\(generation) counts \(track.counter) after \(counted) ticks")
        guard !track.isPaused else { continue }
        expect(nextTick.due > now.wall, "P5", "\(generation) was due at \(nextTick.due.rfc3339) and was not sent")
        let ahead = nextTick.slot.milliseconds - now.wall.milliseconds - (track.step ?? .max / 2)
        let isSoon = ahead <= track.waitAllowance || track.isSetBackForgotten
        expect(isSoon, "P12", "\(generation) waits until \(nextTick.slot.rfc3339)")
        continue
      }
      let owes = track.ending?.owesStopped == true
      expect(!owes || track.isAnnounced || !exception.hasRoomForOwed, "P8", "\(generation) ended without its Stopped")
      if track.ending?.reason == Schedule.EndReason.countLimit {
        // The confirm of an expired tick may have come late.
        expect(Int64(count) == track.counter, "P8", "\(generation) ended after \(count) ticks")
        let isReached = track.limit.map { $0 == count || $0 < count && track.definition.updateLabel != nil } ?? false
        expect(isReached, "P8", "\(generation) ended after \(count) ticks")
        expect(owes, "P8", "\(generation) owes no Stopped")
      }
    }
    for id in asked.keys.sorted(by: { $0.lexicographicallyPrecedes($1) })
    where !poisoned.contains(where: { $0.bytes == id }) {
      checkState(of: id)
    }
  }

  private func isAbout(_ ids: [ScheduleID], _ label: Int) -> Bool {
    switch messages[label]?.content {
    case .command(let command, _): return ids.contains(command.id)
    case .batch: return !ids.isEmpty
    case .malformed, .ownEvent, .poison, nil: return false
    }
  }
}
