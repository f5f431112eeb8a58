import Recurrence
import Scheduling

/// What goes over the wire.
extension SimulationChecker {
  mutating func sent(_ publication: Publication) {
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
    expect(pending?.slot == tick.slot && track.counter == tick.counter, "P6", "\(tick.brief) is not what is stored")
    expect(pending?.missed == tick.missed, "P6", "\(tick.brief) misses \(pending?.missed ?? 0)")
    expect(tick.definition == track.definition, "P6", "\(tick.brief) has another definition")
    let isLast = tick.counter + 1 == track.limit
    expect(
      tick.nextSlot == (isLast ? nil : track.next(after: tick.slot)), "P5", "\(tick.brief) announces a wrong next slot")
    expect(now.wall >= tick.slot && now.wall >= pending?.due ?? tick.slot, "P9", "\(tick.brief) is early")
    expect(pending.map { [mark] in $0.due <= mark } ?? true, "P7", "\(tick.brief) is beyond the mark")
    if let earlier = track.sent[tick.slot] {
      expect(earlier.tick == tick, "P6", "\(tick.brief) was \(earlier.tick.brief) before")
      expect(earlier.excuse != nil, "P7", "\(tick.brief) is repeated for no reason")
      if let excuse = earlier.excuse { reach(excuse) }
    } else {
      expect(
        track.lastSlotSent.map { $0 < tick.slot } ?? true, "P11",
        "\(tick.brief) after \(String(describing: track.lastSlotSent))")
      tracks[tick.generation]?.lastSlotSent = tick.slot
    }
    tracks[tick.generation]?.sent[tick.slot] = SimulationTrack.SentTick(tick: tick, uptime: now.uptime)
  }

  mutating func arrived(_ publication: Publication) {
    switch publication.event {
    case .stopped(let stopped): tracks[stopped.generation]?.hasStoppedArrived = true
    case .started, .rejected: break
    case .tick(let tick):
      guard let track = tracks[tick.generation], !track.arrived.contains(tick.slot) else { return }
      // Late from a connection of the time before the clock was set back.
      if track.wasSetBack, track.sent[tick.slot] == nil { return }
      expect(!track.hasStoppedArrived, "P10", "\(tick.brief) arrives after its Stopped")
      expect(track.arrived.last.map { $0 < tick.slot } ?? true, "P11", "\(tick.brief) arrives out of order")
      tracks[tick.generation]?.arrived.append(tick.slot)
      let bound = track.limit.map { Int($0) + track.givenUp.count + track.givenUpBefore } ?? .max
      expect(
        track.arrivedBefore + track.arrived.count < bound, "P8", "\(tick.brief) is one too many for the limit \(bound)")
    }
  }

  mutating func confirmed(_ publication: Publication) {
    switch publication.event {
    case .tick(let tick):
      if let sent = tracks[tick.generation]?.sent[tick.slot], now.uptime - sent.uptime >= 30_000 {
        reach(.confirmedLate)
      }
      tracks[tick.generation]?.confirmed.insert(tick.slot)
    case .stopped(let stopped) where Schedule.EndReason.isOwn(stopped.reason):
      tracks[stopped.generation]?.isStoppedConfirmed = true
    case .started, .stopped, .rejected:
      answers[publication.origin.label, default: []].append(publication.event)
    }
  }

  /// P1 and P3: a message leaves the queue once, after the answer that it deserves was confirmed.
  mutating func settled(_ label: Int, _ settlement: Acknowledgements.Settlement) {
    expect(settled.insert(label).inserted, "P1", "message \(label) is settled twice")
    let answers = answers[label] ?? []
    let isRight =
      answers.isEmpty
      ? deserves(nil, settlement, messages[label]?.content)
      : answers.contains { deserves($0, settlement, messages[label]?.content) }
    switch answers.last {
    case .started(let started) where started.effect == .kept: reach(.kept)
    case .rejected(let rejection) where rejection.field == "ifExists": reach(.refusedForALiveOne)
    case .rejected: reach(settlement == .deadLetter ? .deadLettered : .rejectedState)
    default: break
    }
    expect(
      isRight, "P3",
      "message \(label), \(settlement), was answered \(answers.last.map { "\($0)".prefix(200) } ?? "nothing")")
  }

  /// Whether a message of this content is to be settled so after this answer.
  private func deserves(
    _ answer: OutgoingEvent?, _ settlement: Acknowledgements.Settlement, _ content: SimulatedMessage.Content?
  ) -> Bool {
    switch (content, answer, settlement) {
    case (.malformed, .rejected, .deadLetter), (.ownEvent, nil, .deadLetter): true
    case (.command(.start(let start), _), .started(let started), .acknowledge):
      started.definition.id == start.definition.id
    case (.command(.stop(let stop), _), .stopped(let stopped), .acknowledge): stopped.reason == stop.reason
    case (.command(.stop, _), .rejected(let rejection), .acknowledge): rejection.field == "id"
    case (.command(.start(let start), _), .rejected(let rejection), .acknowledge):
      rejection.field == "ifExists" && start.definition.ifExists == .reject
    case (.command(.start(let start), _), .rejected(let rejection), .deadLetter):
      // A repeat, or one that was long on its way: it came too late.
      rejection.field == "endDate" && start.definition.endDate != nil
    default: false
    }
  }
}

extension Tick {
  fileprivate var brief: String { "tick \(definition.id.text)#\(generation) \(slot.rfc3339) \(counter)" }
}
