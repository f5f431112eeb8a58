import Recurrence
import Scheduling

/// P30: an Update changes what it names, and neither counter nor pause.
extension SimulationChecker {
  mutating func updated(_ schedule: Schedule, _ track: SimulationTrack, from nextTick: Schedule.NextTick) {
    let generation = schedule.generation
    guard let label = schedule.definition.updateLabel,
      case .command(.update(let command), _)? = messages[label]?.content
    else { return expect(false, "P30", "\(generation) is updated by nobody") }
    reach(track.isNextSent ? .updatedInDoubt : track.isPaused ? .updatedWhilePaused : .updated)
    countEffect(of: label, isItself: false)
    let definition = command.change.changing(track.definition)
    checkTarget(of: schedule, before: track.definition, by: label)
    expect(schedule.definition == definition, "P30", "\(generation) is updated to \(schedule.definition)")
    expect(schedule.counter == track.counter, "P30", "\(generation) counts \(schedule.counter) after an Update")
    expect(
      schedule.control.pause == (schedule.isLive ? track.control.pause : nil), "P30", "an Update changes a pause")
    // Applied again after a command without a key, it was accepted at the revision that it names.
    expect(
      command.ifRevision.map { $0 == track.control.revision } ?? true || wasAccepted(label), "P30",
      "\(generation) is updated at another revision")
    checkRevision(schedule, after: track, .update(label: label))
    tracks[generation]?.definition = schedule.definition
    // A tick that may have been sent, also by an earlier process, is resolved first.
    let isResolvedFirst =
      isInDoubt(schedule, track, nextTick) || schedule.isLive && !track.isPaused && nextTick.due <= markAtStart
    if let limit = tracks[generation]?.limit, limit <= track.counter, !isResolvedFirst {
      reach(.endedByUpdate)
      expect(
        schedule.ending?.reason == Schedule.EndReason.countLimit, "P30",
        "\(generation) has \(track.counter) ticks and goes on with the limit \(limit)")
      // A late confirm does not count any more.
      tracks[generation]?.givenUp.insert(nextTick.slot)
    } else {
      move(schedule, track, to: definition, from: nextTick)
    }
    setState(of: schedule)
  }

  /// The slot of the next tick: it stays while it may have been sent, and unless timing or dates are changed.
  private mutating func move(
    _ schedule: Schedule, _ track: SimulationTrack, to definition: Definition, from nextTick: Schedule.NextTick
  ) {
    let generation = schedule.generation
    guard let next = schedule.nextTick else {
      return expect(false, "P30", "\(generation) is ended by an Update")
    }
    let before = track.definition
    var isMoved = definition.timing != before.timing
    if case .cron = definition.timing, definition.endDate != before.endDate { isMoved = true }
    let slots = isMoved ? firstSlots(of: definition) : [nextTick.slot]
    if next.slot == nextTick.slot, !isMoved || isInDoubt(schedule, track, nextTick) {
      expect(next.missed == nextTick.missed, "P30", "\(generation) forgets at an Update what it missed")
      guard isMoved else { return }
      if isInDoubt(schedule, track, nextTick) {
        tracks[generation]?.controlled.followingSlot = schedule.control.followingSlot
        let isRight = schedule.control.followingSlot.map(slots.contains) ?? false
        expect(isRight, "P30", "\(generation) follows at \(schedule.control.followingSlot?.rfc3339 ?? "no slot")")
      }
    } else {
      // After a clock that was set far back, it is not known any more what was sent at slots to come.
      expect(
        !track.isNextSent || track.wasSetBack, "P6",
        "\(generation) leaves out \(nextTick.slot.rfc3339), which was sent, at an Update")
      expect(slots.contains(next.slot), "P30", "\(generation) is moved to \(next.slot.rfc3339)")
      let isNew = !track.arrived.contains(next.slot) || track.wasSetBack || before.timing.step != definition.timing.step
      expect(isNew, "P12", "\(generation) goes back at an Update to \(next.slot.rfc3339), which has ticked")
      expect(next.missed == 0, "P30", "\(generation) misses slots after an Update")
      tracks[generation]?.beginOtherSlots()
    }
  }

  /// The slots that a definition may begin with now. Those of a cron expression that the clock has shown to be over are
  /// over after a small step back, too.
  private func firstSlots(of definition: Definition) -> [Instant] {
    guard case .cron = definition.timing else { return decisions.map { definition.firstSlot(after: $0) } }
    return decisions.flatMap { decided in
      walls[(processBegin - 1)...].map { definition.firstSlot(after: max(decided, $0)) }
    }
  }

  private func isInDoubt(_ schedule: Schedule, _ track: SimulationTrack, _ nextTick: Schedule.NextTick) -> Bool {
    track.isNextSent || schedule.control.isSlotInDoubt
      || schedule.control.followingSlot != nil
        && nextTick.due <= markAtStart
  }
}

extension Definition {
  /// The label of the Update that changed it last; nil if none did.
  var updateLabel: Int? { description.flatMap { $0.hasPrefix("update ") ? Int($0.dropFirst(7)) : nil } }

  /// The first slot of a Start at this instant, without its dates.
  fileprivate func firstSlot(after instant: Instant) -> Instant {
    switch timing {
    case .cron:
      let step = timing.step ?? 1
      return Instant(milliseconds: (instant.milliseconds / step + 1) * step)
    case .every, .duration: return instant.advanced(byMilliseconds: timing.step ?? 0)
    case .at(let instant): return instant
    }
  }
}
