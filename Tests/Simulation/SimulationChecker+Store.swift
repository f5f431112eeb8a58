import Recurrence
import Scheduling

/// What is stored.
extension SimulationChecker {
  mutating func committed(_ change: Change) {
    switch change {
    case .start(let schedule, _): started(schedule)
    case .advance(let key, let slot, let progress, _, _):
      advanced(key.generation, from: slot, to: progress.state, progress.counter)
    case .revise(let schedule, let slot, let isRedefined, _): revised(schedule, from: slot, isRedefined: isRedefined)
    case .announced(let generation, let owed): announced(generation, owed)
    case .remember(let command): remembered(command)
    case .markInDoubt(let through): marked(through)
    case .inbox(.remove(let position)): removed(position)
    case .inbox(.answered(let position, _)): decided(position)
    case .inbox(let change): inbox.apply(change)
    case .batch(let change): committed(change)
    case .declare(let key, let declaration):
      expect(declaration.isLasting, "P2", "\(key.generation) is declared by a Start that does not keep it")
    case .followRules(let version):
      expect(version == CronExpression.rulesVersion, "P5", "rules \(version) are followed")
    }
  }

  /// P5: ticks due long after a crash are not in doubt. A mark that waits for a failing store may be of the wrong
  /// clock.
  private mutating func marked(_ through: Instant) {
    let ahead = through.milliseconds - latestWall.milliseconds
    expect(ahead <= 3_000 || through <= mark, "P5", "the mark is \(ahead) ms ahead")
    mark = through
  }

  private mutating func started(_ schedule: Schedule) {
    for earlier in generations where tracks[earlier]?.definition.id.bytes == schedule.id.bytes {
      if tracks[earlier]?.nextTick != nil, tracks[earlier]?.isReplaced == false { reach(.replacedLive) }
      expect(!isToBeKept(earlier, by: schedule.definition), "P2", "\(earlier) is declared again, and runs again")
      let owes = tracks[earlier]?.ending?.owesStopped == true && tracks[earlier]?.isAnnounced == false
      expect(!owes, "P8", "\(earlier) replaced before its Stopped was announced")
      tracks[earlier]?.isReplaced = true
    }
    var track = SimulationTrack(schedule)
    // Possibly decided before the clock was set back.
    if let slot = track.nextTick?.slot, let step = track.step, slot.milliseconds - step > now.wall.milliseconds {
      track.movesLeft = 1
    }
    expect(schedule.counter == 0, "P8", "\(schedule.generation) begins with counter \(schedule.counter)")
    if case .cron = schedule.definition.timing, let slot = track.nextTick?.slot, let step = track.step {
      expect(slot.milliseconds % step == 0, "P5", "\(schedule.generation) begins off its slots, at \(slot.rfc3339)")
    }
    checkControl(schedule, of: track)
    checkTarget(of: schedule)
    expect(!isPending(schedule.id), "P34", "\(schedule.id.text) is started before a batch is applied to it")
    tracks[schedule.generation] = track
    generations.append(schedule.generation)
    countEffect(of: track.label)
  }

  /// A new schedule continues the revisions of the one that it replaces, and its pause unless the Start says otherwise.
  private mutating func checkControl(_ schedule: Schedule, of track: SimulationTrack) {
    let generation = schedule.generation
    let before = generations.last { tracks[$0]?.definition.id.bytes == schedule.id.bytes }.flatMap { tracks[$0] }
    let former = before.flatMap { $0.isPaused ? $0.control.pause : nil }
    guard case .command(.start(let start), _)? = messages[track.label]?.content else { return }
    let isPaused = schedule.control.pause != nil
    expect(isPaused == start.paused ?? (former != nil), "P27", "\(generation) begins paused: \(isPaused)")
    if let pause = schedule.control.pause {
      reach(.startedPaused)
      expect(
        former.map { $0 == pause } ?? decisions.contains(pause.since), "P27", "\(generation) begins with another pause")
    }
    if let before, before.nextTick != nil {
      let revision = schedule.control.revision
      expect(revision == before.control.revision + 1, "P30", "\(generation) begins with revision \(revision)")
    }
  }

  /// The tick of a slot is resolved, or its slot was left out.
  private mutating func movedOn(_ generation: Int64, from slot: Instant, after track: SimulationTrack) {
    guard let following = track.controlled.followingSlot else { return }
    tracks[generation]?.controlled.followingSlot = nil
    if tracks[generation]?.nextTick?.slot == following { tracks[generation]?.beginOtherSlots() }
  }

  private func isLeftOut(_ slot: Instant, of track: SimulationTrack) -> Bool {
    track.control.catchUp.map { track.isLeftOut(slot, after: $0) } ?? false
  }

  /// Whether a schedule that ended automatically is declared again. Not if its row may have been removed at a time that
  /// the wall clock has shown since.
  private func isToBeKept(_ generation: Int64, by definition: Definition) -> Bool {
    guard let track = tracks[generation], !track.isReplaced, let ending = track.ending, ending.kind.isAutomatic,
      let entry = track.endedEntry,
      walls[(entry - 1)...].allSatisfy({ $0.milliseconds - ending.at.milliseconds < 3_600_000 })
    else { return false }
    return definition.keepsTheSame && definition.asksForTheSame(as: track.declared)
  }

  mutating func advanced(
    _ generation: Int64, from slot: Instant, to state: Schedule.State, _ counter: Int64
  ) {
    guard let track = tracks[generation], let nextTick = track.nextTick, !track.isReplaced, nextTick.slot == slot else {
      return expect(false, "P6", "\(generation) goes on from \(slot.rfc3339), where it is not")
    }
    tracks[generation]?.state = state
    if track.ending == nil, case .ended = state { tracks[generation]?.endedEntry = walls.count }
    tracks[generation]?.waitAllowance = Self.day
    tracks[generation]?.counter = counter
    defer { movedOn(generation, from: slot, after: track) }
    if counter == track.counter + 1 {
      advanced(track, generation, from: nextTick, to: state, counter)
    } else if counter == track.counter {
      passed(track, generation, from: nextTick, to: state)
    } else {
      expect(false, "P8", "\(generation) counts from \(track.counter) to \(counter)")
    }
  }

  /// After a confirmed tick.
  private mutating func advanced(
    _ track: SimulationTrack, _ generation: Int64, from nextTick: Schedule.NextTick, to state: Schedule.State,
    _ counter: Int64
  ) {
    expect(
      track.confirmed.contains(nextTick.slot), "P6", "\(generation) advances from \(nextTick.slot.rfc3339) unconfirmed")
    switch state {
    case .live(let next):
      let isMoved = track.mayMove && isEarlier(next.slot, of: track, than: nextTick.slot)
      if isMoved { tracks[generation]?.moveBack(losing: nil) }
      expect(
        next.slot == track.slotAfter(nextTick) || isMoved, "P5",
        "\(generation) leaves out slots after \(nextTick.slot.rfc3339)")
      expect(next.missed == 0, "P5", "\(generation) misses slots after a tick")
      expect(track.limit.map { counter < $0 } ?? true, "P8", "\(generation) goes on beyond its limit")
    case .ended(let ending):
      let isAtLimit = track.limit.map { counter >= $0 } ?? false
      reach(isAtLimit ? .limitReached : track.definition.timing.isOneShot ? .oneShotFired : .endDateReached)
      let recurring = isAtLimit ? Schedule.EndReason.countLimit : Schedule.EndReason.endDate
      let reason = track.definition.timing.isOneShot ? nil : recurring
      expect(ending.reason == reason, "P8", "\(generation) ends because of \(ending.reason ?? "nothing")")
      expect(
        isAtLimit || track.slotAfter(nextTick) == nil, "P8",
        "\(generation) ends after \(counter) ticks")
    }
  }

  /// Whether a slot is in phase with a later one, as after a clock that was set far back. Whether it was the first
  /// after the decision cannot be checked if the clock was set again since; it must be by the end.
  private func isEarlier(_ slot: Instant, of track: SimulationTrack, than later: Instant) -> Bool {
    guard slot <= later else { return false }
    // After an Update, `later` may be a slot of the former definition.
    let following = track.controlled.followingSlot
    guard let step = track.step else { return slot == following }
    return ((following ?? later).milliseconds - slot.milliseconds) % step == 0
  }

  /// Without a confirmed tick: folded, skipped, expired, moved or stopped.
  private mutating func passed(
    _ track: SimulationTrack, _ generation: Int64, from nextTick: Schedule.NextTick, to state: Schedule.State
  ) {
    let isGivenUp = givenUp.contains(GivenUp(id: track.definition.id, slot: nextTick.slot))
    let lateness = highestWall.milliseconds - nextTick.slot.milliseconds
    switch state {
    case .live(let next)
    where next.slot < nextTick.slot && !(isGivenUp && next.slot == track.controlled.followingSlot):
      reach(.movedBack)
      tracks[generation]?.moveBack(losing: nextTick.slot)
      expect(track.mayMove, "P12", "\(generation) goes back from \(nextTick.slot.rfc3339)")
      expect(
        isEarlier(next.slot, of: track, than: nextTick.slot), "P12", "\(generation) goes back to \(next.slot.rfc3339)")
      expect(next.missed == nextTick.missed, "P5", "\(generation) forgets what it missed")
    case .live(let next) where isGivenUp && track.sent[nextTick.slot] != nil:
      tracks[generation]?.givenUp.insert(nextTick.slot)
      expect(next.slot == track.slotAfter(nextTick), "P5", "\(generation) leaves out slots after giving up")
    case .live(let next) where next.missed == 0:
      reach(track.definition.misfirePolicy == .skip ? .skipped : .tooOld)
      let last = next.slot.milliseconds - (track.step ?? 0)
      expect(
        track.mayMove || track.mayLeaveOut(lateBy: highestWall.milliseconds - last)
          || isLeftOut(Instant(milliseconds: last), of: track), "P5",
        "\(generation) leaves out \(nextTick.slot.rfc3339) and what follows up to \(next.slot.rfc3339)")
      expect(track.count(from: nextTick.slot, to: next.slot) != nil, "P5", "\(generation) is off its slots: \(next)")
      expect(
        track.sent[nextTick.slot] == nil, "P6", "\(generation) leaves out \(nextTick.slot.rfc3339), which was sent")
    case .live(let next):
      reach(.folded)
      let policy = track.definition.misfirePolicy ?? .fireOnce
      let isLate = track.mayMove || lateness >= 60_000
      let isOfPause = track.control.catchUp.map { $0.policy == .fireOnce && next.slot <= $0.through } ?? false
      expect(
        policy == .fireOnce && isLate || isOfPause, "P5", "\(generation) folds, \(policy), \(lateness) ms late")
      let count = track.count(from: nextTick.slot, to: next.slot).map { Int(clamping: $0) + nextTick.missed }
      expect(
        count.map { next.missed == min($0, 1000) } ?? false, "P5",
        "\(generation) folds \(nextTick.slot.rfc3339) and \(nextTick.missed) into \(next.slot.rfc3339) and \(next.missed)"
      )
      expect(track.sent[nextTick.slot] == nil, "P6", "\(generation) folds \(nextTick.slot.rfc3339), which was sent")
    case .ended(let ending):
      if ending.reason?.hasPrefix("stop ") == true {
        reach(.stopped)
        if let label = ending.reason.flatMap({ Int($0.dropFirst(5)) }) {
          countEffect(of: label, on: track.definition.id)
        }
      } else if ending.reason == Schedule.EndReason.endDate, !isGivenUp {
        reach(.skippedToTheEnd)
        let last = track.last(from: nextTick.slot)?.milliseconds ?? .max
        expect(
          track.mayMove || track.mayLeaveOut(lateBy: highestWall.milliseconds - last)
            || isLeftOut(Instant(milliseconds: last), of: track), "P5", "\(generation) leaves out its last slots")
        expect(
          track.sent[nextTick.slot] == nil, "P6", "\(generation) leaves out \(nextTick.slot.rfc3339), which was sent")
      } else if ending.reason == Schedule.EndReason.endDate {
        expect(track.slotAfter(nextTick) == nil, "P5", "\(generation) ends before its end date")
      } else {
        // An Update may have set a limit that was reached before.
        let isAtLimit =
          ending.reason == Schedule.EndReason.countLimit && track.limit.map { $0 <= track.counter } ?? false
        // A late confirm does not count any more.
        if isGivenUp { tracks[generation]?.givenUp.insert(nextTick.slot) }
        let isLeft = isGivenUp && track.definition.timing.isOneShot
        expect(isLeft || isAtLimit && (isGivenUp || track.mayMove), "P5", "\(generation) ends without a cause")
      }
    }
  }
}
