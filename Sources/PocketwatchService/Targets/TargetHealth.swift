import AMQP

/// What cannot be published to targets now, and why. Each problem is named once, and its end.
///
/// Schedules with a target wait meanwhile and all others go on, so the service stays ready.
struct TargetHealth {
  /// The connection, if it is down or blocked.
  private var connection: String?
  /// What the broker refuses.
  private var refused: [String] = []

  /// In a stable order.
  var problems: [String] { (connection.map { [$0] } ?? []) + refused }

  /// Returns the problems that are new, and whether the last one has ended.
  mutating func note(_ event: Publisher.Event) -> (new: [String], isOver: Bool) {
    let before = problems
    switch event {
    case .up: connection = nil
    case .down(let error, _): connection = "no connection for targets: \(error)"
    case .blocked(let reason): connection = "the broker blocks publishing to targets (\(reason))"
    case .unblocked: connection = nil
    case .refusing(let refusals): refused = Self.texts(refusals)
    case .acked, .nacked, .returned, .refused, .unsendable: return ([], false)
    }
    return (problems.filter { !before.contains($0) }, !before.isEmpty && problems.isEmpty)
  }

  private static func texts(_ refusals: Refusals) -> [String] {
    refusals.current.compactMap { kind, error in
      switch kind {
      case .exchange(let name): "nothing can be published to exchange \(name): \(error)"
      case .routingKey(let key): "\"\(key)\" cannot be published to targets: \(error)"
      case .topic(let exchange, let key): "\"\(key)\" cannot be published to exchange \(exchange): \(error)"
      case .bodyBytes: nil
      }
    }
  }
}
