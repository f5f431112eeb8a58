import Foundation

/// A policy or operator policy, from the management API.
struct BrokerPolicy: Decodable, Hashable {
  var name: String
  /// An unanchored regular expression.
  var pattern: String
  var appliesTo: String
  var priority: Int
  var definition: [String: BrokerValue]

  private enum CodingKeys: String, CodingKey {
    case name, pattern, priority, definition
    case appliesTo = "apply-to"
  }

  /// A policy with any of these keys does not apply to quorum queues.
  private static let keysOfOtherQueues: Set<String> = [
    "max-priority", "queue-mode", "ha-mode", "ha-params", "ha-sync-mode", "ha-promote-on-shutdown",
    "ha-promote-on-failure", "queue-master-locator", "max-age", "stream-max-segment-size-bytes",
    "initial-cluster-size",
  ]

  /// Whether it is a candidate for a quorum queue; the candidate with the highest priority applies.
  func matches(quorumQueue queue: String) -> Bool {
    guard ["all", "queues", "quorum_queues"].contains(appliesTo),
      Self.keysOfOtherQueues.isDisjoint(with: definition.keys),
      let expression = try? NSRegularExpression(pattern: pattern)
    else { return false }
    return expression.firstMatch(in: queue, range: NSRange(queue.startIndex..., in: queue)) != nil
  }

  /// The policy that applies to a quorum queue.
  ///
  /// - Parameter shown: The policy that the management API names for the queue, up to some seconds old. It decides
  ///   between equal priorities, whose order the broker does not document.
  static func applied(of policies: [BrokerPolicy], to queue: String, shown: String?) -> BrokerPolicy? {
    let matching = policies.filter { $0.matches(quorumQueue: queue) }
    guard let highest = matching.map(\.priority).max() else { return nil }
    let candidates = matching.filter { $0.priority == highest }
    return candidates.first { $0.name == shown } ?? candidates.first
  }
}
