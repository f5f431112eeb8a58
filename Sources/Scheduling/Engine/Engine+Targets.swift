import Recurrence

/// The second connection: over it leaves what schedules publish instead of ticks. If it is down, or refuses something,
/// only schedules with a target wait.
extension Engine {
  /// What leaves now, by its connection.
  struct Outgoing {
    var bus: [Publication] = []
    var targets: [Publication] = []

    mutating func append(_ publication: Publication, on outlet: Outlet) {
      switch outlet {
      case .bus: bus.append(publication)
      case .targets: targets.append(publication)
      }
    }
  }

  subscript(outlet: Outlet) -> Publications {
    _read {
      switch outlet {
      case .bus: yield publications
      case .targets: yield targetPublications
      }
    }
    _modify {
      switch outlet {
      case .bus: yield &publications
      case .targets: yield &targetPublications
      }
    }
  }

  /// Whether the connection has to be opened now: the first schedule with a target is about to be due.
  mutating func mustConnectTargets() -> Bool {
    guard !needsTargets, drain == .running, window.hasTargets || targetPublications.hasReady else { return false }
    needsTargets = true
    targetPublications.connecting(at: turn.now)
    return true
  }

  /// Why the tick of a schedule must not leave: its owner may not publish to its target, or not any more. Nil if it may.
  func refusalOfTarget(of definition: Definition, owner: String?) -> String? {
    guard let target = definition.target else { return nil }
    return refusalOfTarget(target, owner)
  }

  /// The rejection of a command whose sender may not publish to the target that a schedule then has; nil if it may.
  func rejection(of command: Command, _ definition: Definition?, sender: String?) -> Rejection? {
    guard let definition, let reason = refusalOfTarget(of: definition, owner: sender) else { return nil }
    return Rejection(id: command.id, command: command.name.rawValue, field: "target", reason: reason)
  }

  /// The rejection of an Update of a schedule that then has a target, if its sender may not publish there, or if its owner
  /// could not publish to a target that it sets.
  func rejection(
    of command: Command, _ update: Command.Update, _ existing: Schedule, sender: String?
  ) -> Rejection? {
    guard existing.isLive else { return nil }
    let definition = update.change.applied(to: existing.definition)
    if let rejection = rejection(of: command, definition, sender: sender) { return rejection }
    guard definition.target != existing.definition.target else { return nil }
    return rejection(of: command, definition, sender: existing.origin.userID)
  }

  /// Backs off triggered ticks that cannot leave: commands on their schedules wait for them, but not without end.
  mutating func backOffTriggeredTicks() {
    guard targetPublications.isOutOfPatience(at: turn.now) else { return }
    let cause = "there is no connection for targets"
    while let item = targetPublications.popReady() { refused(item, cause: cause) }
    while let item = targetPublications.popBackedOffOutcome(at: turn.now) { refused(item, cause: cause) }
  }
}
