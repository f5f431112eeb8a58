import Recurrence

/// An event that answers no command. The row of its schedule is its outbox until the broker has confirmed it. A schedule
/// owes at most one event of each kind, and they are published in this order.
package enum OwedEvent: CaseIterable, Hashable, Sendable {
  /// The tick that a Schedule Trigger asked for.
  case triggeredTick
  /// A pause ended automatically.
  case resumed
  /// The schedule ended automatically.
  case stopped
}

extension Schedule {
  /// What it owes, in the order of publication.
  package var owed: [OwedEvent] { owesNothing ? [] : OwedEvent.allCases.filter { event(owed: $0) != nil } }

  /// Whether it certainly owes nothing, which is asked with every tick.
  private var owesNothing: Bool { hasPlainControl && ending?.owesStopped != true }

  /// An event that it owes; nil if it does not owe this one.
  func event(owed: OwedEvent) -> OutgoingEvent? {
    switch owed {
    case .triggeredTick: hasPlainControl ? nil : control.owedTick.map { .tick(tick(for: $0)) }
    case .resumed: hasPlainControl ? nil : control.owedResumed.map { .controlled(resumed(by: $0)) }
    case .stopped: owedStopped.map { .stopped($0) }
    }
  }

  /// A triggered tick answers the Trigger; the other events answer the Start.
  func origin(ofOwed owed: OwedEvent) -> Origin {
    guard owed == .triggeredTick, let trigger = control.owedTick else { return origin }
    return Origin(messageID: trigger.messageID).tracing(self)
  }

  /// It no longer owes this event.
  package mutating func settle(_ owed: OwedEvent) {
    switch owed {
    case .triggeredTick: control.owedTick = nil
    case .resumed: control.owedResumed = nil
    case .stopped:
      guard var ending else { return }
      ending.owesStopped = false
      progress.state = .ended(ending)
      definition.payload = nil
    }
  }

  private func tick(for trigger: Trigger) -> Tick {
    var definition = definition
    if let payload = trigger.payload { definition.payload = payload }
    return Tick(
      definition: definition, generation: generation, counter: trigger.counter, slot: trigger.instant, missed: 0,
      nextSlot: trigger.nextSlot, isTriggered: true)
  }

  private func resumed(by resumption: Resumption) -> Controlled {
    var resumed = Controlled(.resumed(missed: resumption.missed, reason: nil), self)
    resumed.counter = resumption.counter
    resumed.revision = resumption.revision
    resumed.pause = nil
    resumed.nextSlot = resumption.nextSlot
    resumed.hasEnded = resumption.nextSlot == nil && !isLive
    resumed.isOwed = true
    return resumed
  }

  private var owedStopped: Stopped? {
    guard let ending, ending.owesStopped else { return nil }
    return Stopped(
      definition: definition, id: id, generation: generation, counter: counter, reason: ending.reason ?? "")
  }
}
