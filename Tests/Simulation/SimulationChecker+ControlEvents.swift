import Recurrence
import Scheduling
import SchedulingTestKit

/// Outcomes of control commands and triggered ticks on the wire: P27 to P31.
extension SimulationChecker {
  mutating func sent(_ controlled: Controlled, label: Int) {
    let generation = controlled.generation
    guard let track = tracks[generation] else {
      return expect(false, "P4", "\(controlled.name.rawValue) of \(generation), which is not stored")
    }
    guard !controlled.isRepeated else { return }
    if controlled.isOwed { return sentResumption(controlled, of: track) }
    let (revision, name) = (controlled.revision, controlled.name.rawValue)
    expect(revision <= track.control.revision, "P4", "\(name) \(generation) before it was stored")
    if case .triggered(let instant) = controlled.effect {
      let isStored = instant.map { track.controlled.triggered[$0]?.label == label } ?? false
      return expect(isStored, "P4", "\(name) \(generation) before it was stored")
    }
    guard let known = track.controlled.revisions[revision], !known.isAnswered else { return }
    tracks[generation]?.controlled.revisions[revision]?.isAnswered = true
    expect(
      controlled.counter == known.counter && controlled.nextSlot == known.nextSlot
        && controlled.definition == known.definition, "P30", "\(name) \(generation) is not what was stored")
    let promise = controlled.name == .paused ? "P27" : controlled.name == .resumed ? "P28" : "P30"
    expect(
      isAnswer(controlled, to: known.cause, label), promise, "\(name) \(generation) does not answer \(label)")
  }

  /// Whether the effect is the one of the message.
  private func isAnswer(
    _ controlled: Controlled, to cause: SimulationTrack.ControlHistory.Cause, _ label: Int
  ) -> Bool {
    let content = messages[label]?.content
    return switch (controlled.effect, cause, command(of: label, on: controlled.id)) {
    case (.paused, .pause(let first), .pause): messages[first]?.content == content
    case (.updated, .update(let first), .update): messages[first]?.content == content
    case (.resumed(let missed, _), .resume(let expected), .resume(let resume)):
      missed == expected[resume.misfirePolicy ?? .skip]
    case (.resumed(let missed, _), .resumeOneShot(let expected, let oneShot), .resume(let resume)):
      missed == expected && (oneShot == .notDue || (oneShot == .leftOut) == (resume.misfirePolicy == .skip))
    default: false
    }
  }

  /// A pause that ended by itself.
  private mutating func sentResumption(_ resumed: Controlled, of track: SimulationTrack) {
    let generation = resumed.generation
    guard let owed = track.control.owedResumed, owed.revision == resumed.revision else {
      return expect(false, "P4", "Resumed \(generation) \(resumed.revision), which is not owed")
    }
    expect(
      resumed.counter == owed.counter && resumed.nextSlot == owed.nextSlot && resumed.pause == nil, "P29",
      "Resumed \(generation) is not what is owed")
    if track.controlled.sentResumption == resumed.revision { reach(.resumedOwedAgain) }
    tracks[generation]?.controlled.sentResumption = resumed.revision
  }

  mutating func sentTriggered(_ tick: Tick) {
    let generation = tick.generation
    guard let track = tracks[generation], let trigger = track.control.owedTick, trigger.instant == tick.slot,
      let known = track.controlled.triggered[tick.slot]
    else { return expect(false, "P31", "\(tick.brief), triggered, is not owed") }
    expect(!track.isStoppedSent && !track.isReplaced, "P10", "\(tick.brief), triggered, after the end")
    var definition = track.definition
    if let payload = trigger.payload { definition.payload = payload }
    expect(
      tick.definition == definition && tick.counter == trigger.counter && tick.nextSlot == trigger.nextSlot
        && tick.missed == 0, "P31", "\(tick.brief), triggered, is not what is stored")
    if known.sentUptime != nil {
      expect(known.excuse != nil, "P7", "\(tick.brief), triggered, is repeated for no reason")
      reach(.triggeredAgain)
    }
    tracks[generation]?.controlled.triggered[tick.slot]?.sentUptime = now.uptime
    tracks[generation]?.controlled.triggered[tick.slot]?.excuse = nil
    tracks[generation]?.controlled.triggered[tick.slot]?.outlet = tick.definition.outlet
  }

  mutating func arrivedTriggered(_ tick: Tick) {
    // A target has a connection of its own: an event that timed out or was given up may arrive behind an outcome.
    expect(
      tick.definition.target != nil || tracks[tick.generation]?.hasStoppedArrived == false, "P10",
      "\(tick.brief), triggered, arrives after its Stopped")
    tracks[tick.generation]?.controlled.triggered[tick.slot]?.hasArrived = true
  }

  /// A Paused holds from its arrival: no first copy of a tick arrives after it.
  mutating func arrived(_ controlled: Controlled) {
    guard case .paused = controlled.effect, !controlled.isRepeated else { return }
    tracks[controlled.generation]?.controlled.arrivedPause = controlled.revision
  }

  mutating func resolved(_ controlled: Controlled, label: Int) {
    guard controlled.isOwed else { return answered(label, .controlled(controlled)) }
    tracks[controlled.generation]?.controlled.confirmedResumption = controlled.revision
  }

  /// It is stored that an event which a schedule owed was confirmed.
  mutating func announced(_ generation: Int64, _ owed: OwedEvent) {
    guard let track = tracks[generation] else { return expect(false, "P8", "\(generation) announced, and not stored") }
    switch owed {
    case .stopped:
      expect(track.isStoppedConfirmed, "P8", "\(generation) announced without a confirm")
      tracks[generation]?.isAnnounced = true
    case .resumed:
      let isConfirmed = track.control.owedResumed?.revision == track.controlled.confirmedResumption
      expect(isConfirmed, "P29", "Resumed \(generation) is no longer owed, without a confirm")
      tracks[generation]?.control.owedResumed = nil
    case .triggeredTick:
      guard let instant = track.control.owedTick?.instant else {
        return expect(false, "P31", "\(generation) announced a triggered tick, and owed none")
      }
      let isDone =
        track.controlled.triggered[instant]?.isConfirmed == true
        || givenUp.contains(GivenUp(id: track.definition.id, slot: instant))
      expect(isDone, "P31", "a triggered tick of \(generation) is no longer owed, without a confirm")
      tracks[generation]?.controlled.triggered[instant]?.isAnnounced = true
      tracks[generation]?.control.owedTick = nil
    }
  }

  /// Everything that control commands asked for is done.
  mutating func finishedControl(of generation: Int64, _ track: SimulationTrack) {
    expect(track.control.owedTick == nil, "P31", "\(generation) owes a triggered tick")
    expect(track.control.owedResumed == nil, "P29", "\(generation) owes a Resumed")
    for (instant, tick) in track.controlled.triggered where !tick.hasArrived {
      let isGivenUp = givenUp.contains(GivenUp(id: track.definition.id, slot: instant))
      expect(isGivenUp, "P31", "the tick that message \(tick.label) asked for did not arrive")
    }
    if let until = track.control.pause?.until, track.isPaused {
      expect(until > now.wall, "P29", "\(generation) is paused beyond \(until.rfc3339)")
    }
  }

  /// What the last Pause, Resume or Update on an id determines, once all messages on it are settled.
  func isAsLeft(by command: Command, _ label: Int, _ track: SimulationTrack) -> Bool {
    switch command {
    case .pause:
      track.nextTick == nil || track.control.pause?.label == label
        || !track.isPaused && track.controlled.endedPauses.contains(label)
    case .resume: !track.isPaused
    case .update: track.definition.updateLabel == label
    case .start, .stop, .trigger: true
    }
  }
}
