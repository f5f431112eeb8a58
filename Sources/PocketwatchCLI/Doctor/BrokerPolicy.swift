import Foundation

/// A policy, or an operator policy, as the management plugin shows it.
struct BrokerPolicy: Decodable, Hashable {
  var name: String
  /// A regular expression that matches anywhere in a name.
  var pattern: String
  var appliesTo: String
  var priority: Int
  var definition: [String: BrokerValue]

  private enum CodingKeys: String, CodingKey {
    case name, pattern, priority, definition
    case appliesTo = "apply-to"
  }

  /// A policy with one of these keys does not apply to quorum queues at all.
  private static let keysOfOtherQueues: Set<String> = [
    "max-priority", "queue-mode", "ha-mode", "ha-params", "ha-sync-mode", "ha-promote-on-shutdown",
    "ha-promote-on-failure", "queue-master-locator", "max-age", "stream-max-segment-size-bytes",
    "initial-cluster-size",
  ]

  /// Whether it is among those of which the one with the highest priority applies to a quorum queue.
  func matches(quorumQueue queue: String) -> Bool {
    guard ["all", "queues", "quorum_queues"].contains(appliesTo),
      Self.keysOfOtherQueues.isDisjoint(with: definition.keys),
      let expression = try? NSRegularExpression(pattern: pattern)
    else { return false }
    return expression.firstMatch(in: queue, range: NSRange(queue.startIndex..., in: queue)) != nil
  }

  /// The policy that applies to a quorum queue.
  ///
  /// - Parameter shown: The one that the management names at the queue, some seconds late. It decides between equal
  ///   priorities, whose order is the broker's own.
  static func applied(of policies: [BrokerPolicy], to queue: String, shown: String?) -> BrokerPolicy? {
    let matching = policies.filter { $0.matches(quorumQueue: queue) }
    guard let highest = matching.map(\.priority).max() else { return nil }
    let candidates = matching.filter { $0.priority == highest }
    return candidates.first { $0.name == shown } ?? candidates.first
  }
}
