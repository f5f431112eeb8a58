import Recurrence

extension DueWindow {
  /// A loaded schedule.
  struct Row {
    var schedule: Schedule
    private(set) var phase: Phase
    /// Whether its next tick may have reached the broker already, on an earlier connection or from an earlier process.
    /// Such a tick is sent again unchanged.
    private(set) var mayHaveBeenSent: Bool

    /// A row that waits for its next tick.
    init(_ schedule: Schedule, mayHaveBeenSent: Bool = false) {
      self.schedule = schedule
      phase = .waiting
      self.mayHaveBeenSent = mayHaveBeenSent
    }
  }

  enum Phase {
    /// Not due yet, or due and waiting for room in the publish window. Becomes sent, advancing or held.
    case waiting
    /// Its tick is in flight; the schedule advances to this progress when the confirm arrives. Becomes advancing,
    /// retrying, or waiting when the connection is lost.
    case sent(Schedule.Progress)
    /// Its tick is backing off after a nack, or timed out. Becomes sent, advancing, or waiting when the wall clock was
    /// set back, the connection is lost or its target was set or removed.
    case retrying(Schedule.Progress)
    /// A change of it is about to be stored. Becomes waiting, or leaves the window.
    case advancing
    /// The rules of its time zone are missing. Becomes waiting when zone data changes, or advancing.
    case held
  }
}

/// Accessors are `mutating` so that they work in place: the usual way copies the row first (SE-0154).
extension DueWindow.Row {
  var position: DuePosition? {
    mutating get { schedule.position }
  }

  mutating func isWaiting(at position: DuePosition) -> Bool {
    if case .waiting = phase { schedule.position == position } else { false }
  }

  /// The stored schedule has advanced: its row waits for the next tick.
  mutating func advance(to progress: Schedule.Progress, _ outstanding: inout DueWindow.Outstanding) {
    _ = enter(.waiting, &outstanding)
    schedule.progress = progress
    mayHaveBeenSent = false
  }

  /// Its position, if that is in a queue of the window.
  var queuedPosition: DuePosition? {
    mutating get { if case .waiting = phase { schedule.position } else { nil } }
  }

  /// The stored schedule has changed otherwise: its row waits for the next tick, unless one is still to be resolved.
  ///
  /// - Parameter progress: The schedule's once that tick is confirmed.
  mutating func revise(
    _ schedule: Schedule, afterTick progress: Schedule.Progress?, _ outstanding: inout DueWindow.Outstanding
  ) {
    switch phase {
    case .waiting, .held:
      mayHaveBeenSent =
        schedule.isSlotInDoubt || mayHaveBeenSent && schedule.nextTick?.slot == self.schedule.nextTick?.slot
      _ = enter(.waiting, &outstanding)
    case .advancing:
      mayHaveBeenSent = schedule.isSlotInDoubt
      _ = enter(.waiting, &outstanding)
    case .retrying: if let progress { _ = enter(.retrying(progress), &outstanding) }
    case .sent: assertionFailure("a command waits for a tick in flight")
    }
    self.schedule = schedule
  }

  /// Enters another phase. Returns whether the row was waiting.
  mutating func enter(_ phase: DueWindow.Phase, _ outstanding: inout DueWindow.Outstanding) -> Bool {
    assert(self.phase.canBecome(phase), "\(self.phase) does not become \(phase)")
    var wasWaiting = false
    if case .waiting = self.phase { wasWaiting = true }
    switch (self.phase.isOutstanding, phase.isOutstanding) {
    case (false, true): outstanding[schedule.definition.outlet] += 1
    case (true, false): outstanding[schedule.definition.outlet] -= 1
    default: break
    }
    if case .sent = phase { mayHaveBeenSent = true }
    self.phase = phase
    return wasWaiting
  }
}

extension DueWindow.Phase {
  /// What its schedule advances to when its tick is confirmed; nil unless a confirm may still come.
  var progress: Schedule.Progress? {
    switch self {
    case .sent(let progress), .retrying(let progress): progress
    case .waiting, .advancing, .held: nil
    }
  }

  /// Whether its tick is backing off or timed out.
  var isRetrying: Bool { if case .retrying = self { true } else { false } }

  /// Whether a tick is in flight or a change is about to be stored: this may have to be repeated after a crash.
  var isOutstanding: Bool {
    switch self {
    case .sent, .advancing: true
    case .waiting, .retrying, .held: false
    }
  }

  /// Whether one phase may follow another. A command may end a schedule in any phase that is not outstanding, so that
  /// all but `sent` lead to `waiting` through a stored change.
  fileprivate func canBecome(_ next: DueWindow.Phase) -> Bool {
    switch (self, next) {
    case (.waiting, _): true
    case (.sent, .advancing), (.sent, .retrying), (.sent, .waiting): true
    case (.retrying, .sent), (.retrying, .advancing), (.retrying, .retrying), (.retrying, .waiting): true
    case (.advancing, .waiting): true
    case (.held, .waiting), (.held, .advancing): true
    case (.sent, _), (.retrying, _), (.advancing, _), (.held, _): false
    }
  }
}

extension Schedule {
  /// Its position in due order; nil once it has ended.
  package var position: DuePosition? {
    nextTick.map { DuePosition(on: definition.outlet, due: $0.due, generation: generation) }
  }
}
