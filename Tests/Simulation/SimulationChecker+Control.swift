import Recurrence
import Scheduling

/// What control commands store: P27 to P31.
extension SimulationChecker {
  /// A control command, the end of a pause, or a tick that was in doubt has changed a schedule.
  mutating func revised(_ schedule: Schedule, from slot: Instant, isRedefined: Bool) {
    let generation = schedule.generation
    guard let track = tracks[generation], let nextTick = track.nextTick, !track.isReplaced, nextTick.slot == slot else {
      return expect(false, "P6", "\(generation) is changed at \(slot.rfc3339), where it is not")
    }
    checkOwed(schedule, of: track)
    checkDoubt(schedule, of: track, at: nextTick)
    tracks[generation]?.control = schedule.control
    let isCounted = schedule.counter != track.counter
    // A limit that an Update set ends a schedule also while it is paused, if a wrong clock was all that kept a tick in doubt.
    let isStopped =
      schedule.ending.map { $0.reason == Schedule.EndReason.countLimit || $0.reason?.hasPrefix("stop ") == true }
      ?? false
    if isRedefined {
      updated(schedule, track, from: nextTick)
    } else if schedule.control.owedTick != track.control.owedTick {
      triggered(schedule, track, from: nextTick)
    } else if !isCounted, !isStopped, track.isPaused, schedule.control.pause == nil {
      resumed(schedule, track, from: nextTick)
    } else if !isCounted, schedule.isLive, schedule.control.pause != track.control.pause {
      paused(schedule, track, from: nextTick)
    } else if !isCounted, schedule.state == track.state, track.wasSetBack {
      tracks[generation]?.controlled.followingSlot = schedule.control.followingSlot
    } else {
      expect(
        schedule.control.revision == track.control.revision, "P30",
        "\(generation) has another revision without a change")
      // This change may be the last that the pause concerns.
      tracks[generation]?.control.catchUp = track.control.catchUp
      advanced(generation, from: slot, to: schedule.state, schedule.counter)
      tracks[generation]?.control = schedule.control
    }
  }

  /// An event that is owed stays so until it is confirmed, and is not owed again.
  private mutating func checkOwed(_ schedule: Schedule, of track: SimulationTrack) {
    let (before, after) = (track.control, schedule.control)
    if before.owedTick != after.owedTick {
      expect(before.owedTick == nil, "P31", "\(schedule.generation) forgets a triggered tick")
      let isNew = after.owedTick.map { track.controlled.triggered[$0.instant] == nil } ?? true
      expect(isNew, "P31", "\(schedule.generation) owes a triggered tick again")
    }
    if before.owedResumed != after.owedResumed {
      expect(before.owedResumed == nil, "P29", "\(schedule.generation) forgets that it owes a Resumed")
      let isNew = after.owedResumed.map { $0.revision > before.revision } ?? true
      expect(isNew, "P29", "\(schedule.generation) owes a Resumed again")
    }
  }

  /// A slot that was sent stays in doubt; one is in doubt only if it may have been sent.
  private mutating func checkDoubt(_ schedule: Schedule, of track: SimulationTrack, at nextTick: Schedule.NextTick) {
    guard schedule.nextTick?.slot == nextTick.slot, schedule.counter == track.counter else { return }
    let isInDoubt = schedule.control.isSlotInDoubt
    if schedule.control.pause != nil, track.isNextSent, !track.wasSetBack {
      expect(isInDoubt, "P6", "\(schedule.generation) forgets at a pause that \(nextTick.slot.rfc3339) was sent")
    }
    if isInDoubt, !track.control.isSlotInDoubt {
      let mayBe = track.isNextSent || !track.isPaused && nextTick.due <= markAtStart
      expect(mayBe, "P28", "\(schedule.generation) has \(nextTick.slot.rfc3339) in doubt, which was never sent")
    }
  }

  // MARK: Pause

  private mutating func paused(_ schedule: Schedule, _ track: SimulationTrack, from nextTick: Schedule.NextTick) {
    let generation = schedule.generation
    guard let pause = schedule.control.pause, let label = pause.label,
      case .pause(let command)? = deciding(label, on: schedule.id)
    else { return expect(false, "P27", "\(generation) is paused by nobody") }
    reach(track.isPaused ? .pausedAgain : track.isNextSent ? .pausedInDoubt : .paused)
    countEffect(of: label, on: schedule.id)
    let decided = decisions
    if let since = track.control.pause?.since {
      expect(pause.since == since, "P27", "\(generation) forgets since when it is paused")
    } else {
      expect(decided.contains(pause.since), "P27", "\(generation) is paused since \(pause.since.rfc3339)")
    }
    let ends: [Instant?] =
      switch command.end {
      case nil: [nil]
      case .until(let instant): [instant]
      case .after(let length): decided.map { $0.advanced(byMilliseconds: length.milliseconds) }
      }
    expect(ends.contains(pause.until), "P27", "\(generation) is paused until \(pause.until?.rfc3339 ?? "ever")")
    let isAfter = pause.until.map { end in decided.contains { $0 < end } } ?? true
    expect(isAfter, "P27", "\(generation) is paused until a past instant")
    checkRevision(schedule, after: track, .pause(label: label))
    expect(isUnmoved(schedule, from: nextTick, track), "P27", "\(generation) is not where it was before its pause")
    setState(of: schedule)
    if track.isNextSent { tracks[generation]?.sent[nextTick.slot]?.isDetached = true }
  }

  /// The command of a message on a schedule, as the batch that decides it now has it.
  private func deciding(_ label: Int, on id: ScheduleID) -> Command? {
    guard case .batch? = messages[label]?.content, let number = batches.decidedNow[id] else {
      return command(of: label, on: id)
    }
    return batches.open[number]?.batch.command.command(on: id)
  }

  // MARK: Resume

  private mutating func resumed(_ schedule: Schedule, _ track: SimulationTrack, from nextTick: Schedule.NextTick) {
    let generation = schedule.generation
    let owed = schedule.control.owedResumed != track.control.owedResumed ? schedule.control.owedResumed : nil
    let end = track.control.pause?.until
    if owed != nil {
      reach(.resumedByItself)
      let isOver = end.map { [latestWall] in $0 <= latestWall } ?? false
      expect(isOver, "P29", "\(generation) resumes before the end of its pause")
      if let label = track.control.pause?.label { tracks[generation]?.controlled.endedPauses.insert(label) }
    }
    let isInDoubt = track.isNextSent || schedule.control.isSlotInDoubt
    if track.definition.timing.isOneShot {
      resumedOneShot(schedule, track, from: nextTick, isInDoubt: isInDoubt, byItself: owed != nil)
    } else {
      // Slots up to a Resume fell into the pause, but only those before its own end.
      let ends = owed == nil ? decisions : [end].compactMap { $0?.advanced(byMilliseconds: -1) }
      let matches = policiesThatMatch(schedule, track, from: nextTick, endedAt: ends, isInDoubt: isInDoubt)
      let isRight = owed == nil ? !matches.isEmpty : matches[.skip] != nil
      expect(isRight, owed == nil ? "P28" : "P29", "\(generation) resumes with \(schedule.state)")
      if let policy = schedule.control.catchUp?.policy { reach(isInDoubt ? .resumedInDoubt : policy.rareState) }
      if matches[.skip] != nil, matches.count == 1 { reach(.resumedSkipping) }
      if matches[.fireOnce] != nil, matches.count == 1 { reach(.resumedFiringOnce) }
      checkEnd(schedule, Schedule.EndReason.endDate)
      checkRevision(schedule, after: track, .resume(matches))
    }
    if let owed {
      let isRight = owed.revision == schedule.control.revision && owed.counter == track.counter
      expect(isRight && owed.nextSlot == schedule.nextTick?.slot, "P29", "\(generation) owes a wrong Resumed")
      tracks[generation]?.controlled.revisions[owed.revision]?.isAnswered = true
    }
    setState(of: schedule)
    if let sent = track.sent[nextTick.slot], now.uptime - sent.uptime >= 30_000 {
      tracks[generation]?.sent[nextTick.slot]?.excuse = .resentAfterTimeout
    }
  }

  /// The policies with which the schedule continues as it is stored, each with the number of slots that are not sent or
  /// folded.
  private func policiesThatMatch(
    _ schedule: Schedule, _ track: SimulationTrack, from nextTick: Schedule.NextTick, endedAt ends: [Instant],
    isInDoubt: Bool
  ) -> [MisfirePolicy: Int] {
    var matches: [MisfirePolicy: Int] = [:]
    let stored = schedule.control.catchUp
    for policy in MisfirePolicy.allCases where stored.map({ $0.policy == policy }) ?? true {
      for end in ends where stored.map({ $0.through == end }) ?? true {
        var after = track.afterPause(policy, endedAt: end, from: nextTick)
        if isInDoubt {
          let missed = track.slotAfter(nextTick).map { following in
            track.afterPause(policy, endedAt: end, from: Schedule.NextTick(slot: following, due: following)).missed
          }
          after = .init(slot: nextTick.slot, folded: nextTick.missed, missed: missed ?? 0)
        }
        let isRight =
          schedule.nextTick.map { $0.slot == after.slot && $0.missed == after.folded } ?? (after.slot == nil)
        if isRight { matches[policy] = after.missed }
      }
    }
    return matches
  }

  /// A one-shot that fell due is sent, unless the command says `skip`.
  private mutating func resumedOneShot(
    _ schedule: Schedule, _ track: SimulationTrack, from nextTick: Schedule.NextTick, isInDoubt: Bool, byItself: Bool
  ) {
    let generation = schedule.generation
    let wasDue = decisions.contains { nextTick.slot <= $0 }
    if schedule.isLive {
      expect(schedule.nextTick?.slot == nextTick.slot, "P28", "\(generation) is resumed at another instant")
      let isDue = !isInDoubt && decisions.allSatisfy { nextTick.slot <= $0 }
      checkRevision(schedule, after: track, .resumeOneShot(missed: 0, isDue ? .due : .notDue))
    } else {
      reach(.skippedWhilePaused)
      expect(wasDue && !isInDoubt && !byItself, "P28", "\(generation) is left out after its pause")
      checkEnd(schedule, Schedule.EndReason.skippedWhilePaused)
      checkRevision(schedule, after: track, .resumeOneShot(missed: 1, .leftOut))
    }
  }

  private mutating func checkEnd(_ schedule: Schedule, _ reason: String) {
    guard let ending = schedule.ending else { return }
    expect(
      ending.reason == reason && ending.owesStopped, "P28", "\(schedule.generation) ends with its pause: \(ending)")
  }

  // MARK: Trigger

  private mutating func triggered(_ schedule: Schedule, _ track: SimulationTrack, from nextTick: Schedule.NextTick) {
    let generation = schedule.generation
    guard let trigger = schedule.control.owedTick,
      case .command(.trigger(let command), _)? = messages[Origin(messageID: trigger.messageID).label]?.content
    else { return expect(false, "P31", "\(generation) is triggered by nobody") }
    let label = Origin(messageID: trigger.messageID).label
    reach(track.isPaused ? .triggeredWhilePaused : .triggered)
    countEffect(of: label)
    let isNow = decisions.contains { wall in
      trigger.instant == track.control.lastTrigger.map { max(wall, $0.advanced(byMilliseconds: 1)) } ?? wall
    }
    expect(isNow, "P31", "\(generation) is triggered as of \(trigger.instant.rfc3339)")
    let nextSlot = track.isPaused ? nil : nextTick.slot
    expect(
      trigger.counter == track.counter && trigger.nextSlot == nextSlot && trigger.payload == command.payload, "P31",
      "\(generation) is triggered as \(trigger)")
    expect(isUnmoved(schedule, from: nextTick, track), "P31", "\(generation) is moved by a Trigger")
    expect(
      schedule.control.revision == track.control.revision, "P31", "a Trigger changes the revision of \(generation)")
    checkTarget(of: schedule, payload: command.payload, by: label)
    tracks[generation]?.controlled.triggered[trigger.instant] = .init(label: label, owedUptime: now.uptime)
  }

  // MARK: Together

  /// A revision is one more with each change of the definition or of the pause.
  mutating func checkRevision(
    _ schedule: Schedule, after track: SimulationTrack, _ cause: SimulationTrack.ControlHistory.Cause
  ) {
    let revision = schedule.control.revision
    expect(revision == track.control.revision + 1, "P30", "\(schedule.generation) has revision \(revision)")
    tracks[schedule.generation]?.controlled.revisions[revision] = .init(
      cause: cause, counter: schedule.counter, nextSlot: schedule.control.pause == nil ? schedule.nextTick?.slot : nil,
      definition: schedule.definition)
  }

  private func isUnmoved(_ schedule: Schedule, from nextTick: Schedule.NextTick, _ track: SimulationTrack) -> Bool {
    schedule.counter == track.counter && schedule.nextTick?.slot == nextTick.slot
      && schedule.nextTick?.missed == nextTick.missed
  }

  mutating func setState(of schedule: Schedule) {
    let generation = schedule.generation
    if tracks[generation]?.ending == nil, schedule.ending != nil { tracks[generation]?.endedEntry = walls.count }
    if tracks[generation]?.nextTick?.slot != schedule.nextTick?.slot { tracks[generation]?.waitAllowance = Self.day }
    tracks[generation]?.state = schedule.state
  }
}

extension Schedule.Pause {
  /// The label of the Pause that gave the reason.
  var label: Int? { reason.flatMap { $0.hasPrefix("pause ") ? Int($0.dropFirst(6)) : nil } }
}

extension MisfirePolicy {
  fileprivate var rareState: RareState {
    switch self {
    case .skip: .resumedSkipping
    case .fireOnce: .resumedFiringOnce
    case .fireAll: .resumedFiringAll
    }
  }
}
