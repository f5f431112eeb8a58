import Recurrence
import Scheduling
import SchedulingTestKit

/// What goes over the wire.
extension SimulationChecker {
  mutating func sent(_ publication: Publication) {
    let isBlocked = blocked.contains(publication.content.outlet)
    expect(!isBlocked, "P15", "\(publication.number) is sent to a broker that takes nothing")
    expect(!isStoreFailing, "P16", "\(publication.number) is sent while the store fails")
    if let name = OutcomeName(publication) {
      outcomes[name] = outcomes[name] ?? SentOutcome(uptime: now.uptime)
    }
    if case .tick(let tick)? = publication.event { checkTarget(of: tick, publication.origin) }
    switch publication.event {
    case .tick(let tick) where tick.isTriggered: sentTriggered(tick)
    case .tick(let tick): sent(tick, number: publication.number)
    case .controlled(let controlled): sent(controlled, label: publication.origin.label)
    case .started(let started):
      expect(tracks[started.generation] != nil, "P4", "Started \(started.generation) before it was stored")
    case .stopped(let stopped):
      let ending = tracks[stopped.generation]?.ending
      expect(ending?.reason == stopped.reason, "P4", "Stopped \(stopped.generation) before it was stored")
      if tracks[stopped.generation]?.isStoppedSent == true { reach(.stoppedOwedAgain) }
      tracks[stopped.generation]?.isStoppedSent = true
    case .batchDone(let done): sent(done, label: publication.origin.label)
    case .rejected, nil: break
    }
  }

  private mutating func sent(_ tick: Tick, number: UInt64) {
    guard var track = tracks[tick.generation] else {
      return expect(false, "P4", "a tick of \(tick.generation), which is not stored")
    }
    let earlier = track.sent[tick.slot]
    track.sent = [:]  // or else each tick would copy them
    let nextTick = track.nextTick
    expect(
      !track.isStoppedSent && !track.isReplaced && nextTick != nil, "P10", "\(tick.generation) ticks after its end")
    expect(nextTick?.slot == tick.slot && track.counter == tick.counter, "P6", "\(tick.brief) is not what is stored")
    expect(nextTick?.missed == tick.missed, "P6", "\(tick.brief) misses \(nextTick?.missed ?? 0)")
    expect(!track.isPaused, "P27", "\(tick.brief) while paused")
    if let earlier, earlier.tick != tick {
      expect(earlier.isDetached, "P6", "\(tick.brief) was \(earlier.tick.brief) before")
    }
    if earlier?.tick != tick {
      expect(tick.definition == track.definition, "P6", "\(tick.brief) has another definition")
      let isLast = track.limit.map { tick.counter + 1 >= $0 } ?? false
      let next = isLast ? nil : nextTick.flatMap { track.slotAfter($0) }
      expect(tick.nextSlot == next, "P5", "\(tick.brief) announces a wrong next slot")
    }
    expect(now.wall >= tick.slot && now.wall >= nextTick?.due ?? tick.slot, "P9", "\(tick.brief) is early")
    expect(nextTick.map { [mark] in $0.due <= mark } ?? true, "P7", "\(tick.brief) is beyond the mark")
    tracks[tick.generation]?.sent[tick.slot] = SimulationTrack.SentTick(
      tick: tick, number: number, uptime: now.uptime, firstUptime: earlier?.firstUptime ?? now.uptime,
      refusals: earlier?.refusals ?? [])
    guard let earlier else {
      expect(
        track.lastSlotSent.map { $0 < tick.slot } ?? true, "P11",
        "\(tick.brief) after \(String(describing: track.lastSlotSent))")
      tracks[tick.generation]?.lastSlotSent = tick.slot
      return checkMissed(tick, of: track)
    }
    expect(earlier.excuse != nil, "P7", "\(tick.brief) is repeated for no reason")
    if let excuse = earlier.excuse { reach(tick.definition.target == nil ? excuse : .targetSentAgain) }
    if let refused = earlier.refusals.last {
      let pause = now.uptime - refused
      expect(pause >= earlier.pauseMilliseconds, "P6", "\(tick.brief) is sent again \(pause) ms after it was refused")
    }
  }

  mutating func arrived(_ publication: Publication) {
    switch publication.event {
    case .stopped(let stopped): tracks[stopped.generation]?.hasStoppedArrived = true
    case .controlled(let controlled): arrived(controlled)
    case .started, .batchDone, .rejected, nil: break
    case .tick(let tick) where tick.isTriggered: arrivedTriggered(tick)
    case .tick(let tick):
      guard var track = tracks[tick.generation] else { return }
      let isLater = track.arrived.last.map { $0 < tick.slot } ?? true
      guard isLater || !track.arrived.contains(tick.slot), !track.isOfEarlierClock(tick) else { return }
      let isLate = mayArriveLate(tick, of: track)
      expect(!track.hasStoppedArrived || isLate, "P10", "\(tick.brief) arrives after its Stopped")
      expect(isLater, "P11", "\(tick.brief) arrives out of order")
      let count = track.arrivedBefore + track.arrived.count + 1
      track.arrived = []  // as above
      tracks[tick.generation]?.arrived.append(tick.slot)
      let isPaused = track.isPaused && track.controlled.arrivedPause == track.control.revision
      expect(!isPaused || isLate, "P27", "\(tick.brief) arrives after its Paused")
      let bound = tick.limit.map { Int($0) + track.givenUp.count + track.givenUpBefore } ?? .max
      expect(count <= bound, "P8", "\(tick.brief) is one too many for the limit \(bound)")
    }
  }

  /// A target has a connection of its own: a tick that timed out or was refused there may arrive behind an outcome.
  private func mayArriveLate(_ tick: Tick, of track: SimulationTrack) -> Bool {
    guard tick.definition.target != nil, let sent = track.sent[tick.slot] ?? track.controlled.formerSent[tick.slot]
    else { return false }
    return sent.isDetached || sent.excuse == .resentAfterRefusal || now.uptime - sent.uptime >= 30_000
  }

  mutating func confirmed(_ publication: Publication) {
    switch publication.content {
    case .event(let event): resolved(event, publication.origin)
    case .deadLetter(let raw): deadLettered.insert(raw.number)
    }
  }

  /// A publication was confirmed; an outcome has perhaps expired.
  mutating func resolved(_ event: OutgoingEvent, _ origin: Origin) {
    switch event {
    case .tick(let tick) where tick.isTriggered:
      tracks[tick.generation]?.controlled.triggered[tick.slot]?.isConfirmed = true
    case .controlled(let controlled): resolved(controlled, label: origin.label)
    case .tick(let tick):
      guard tracks[tick.generation]?.isOfEarlierClock(tick) == false else { return }
      if let sent = tracks[tick.generation]?.sent[tick.slot], now.uptime - sent.uptime >= 30_000 {
        reach(.confirmedLate)
      }
      tracks[tick.generation]?.confirmed.insert(tick.slot)
    case .stopped(let stopped) where Schedule.EndReason.isOwn(stopped.reason):
      tracks[stopped.generation]?.isStoppedConfirmed = true
    case .started, .stopped, .batchDone, .rejected: answered(origin.label, event)
    }
  }
}

extension Tick {
  /// Its schedule's limit when it was sent; nil without one.
  fileprivate var limit: Int64? {
    definition.timing.isOneShot || definition.limit == 0 || definition.updateLabel != nil ? nil : definition.limit
  }

  var brief: String { "tick \(definition.id.text)#\(generation) \(slot.rfc3339) \(counter)" }
}
