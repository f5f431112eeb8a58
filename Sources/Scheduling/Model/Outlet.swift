/// A connection over which the engine publishes. What fails on one does not delay the other.
package enum Outlet: Int, CaseIterable, Sendable {
  /// To the event bus.
  case bus
  /// To the exchanges that clients name in `target`.
  case targets
}

extension Definition {
  /// Where its ticks leave.
  package var outlet: Outlet { hasTarget ? .targets : .bus }
}

extension Publication.Content {
  /// Where it leaves.
  package var outlet: Outlet {
    if case .event(.tick(let tick)) = self { tick.definition.outlet } else { .bus }
  }
}
