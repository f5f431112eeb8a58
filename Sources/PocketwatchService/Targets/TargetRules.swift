import Foundation
package import Scheduling

/// To which exchanges, and with which routing keys, the operator lets users publish events of their own.
///
/// The service publishes them with its own rights, so a schedule must not reach by it what its owner must not reach.
package struct TargetRules: Sendable {
  /// One line of the operator's list.
  package struct Entry: Sendable, Hashable {
    /// The login as the broker validated it; `*` is anybody, also a message that names no login.
    package var user: String
    package var exchange: String
    package var routingKey: KeyPattern
    /// The `Source` that events may carry instead of ours; nil if none.
    package var source: String?
  }

  package static let anybody = "*"
  private static let reservedKeys = ["Schedule ", "Message "]
  private static let longestEcho = 64

  /// None: targets are off.
  package let entries: [Entry]
  private let names: TopologyNames

  package init(_ entries: [Entry] = [], names: TopologyNames) {
    self.entries = entries
    self.names = names
  }

  /// Why a user may not publish to a target; nil if it may.
  ///
  /// - Parameter userID: The login that the broker validated; nil if the message named none.
  package func refusal(of target: Target, userID: String?) -> String? {
    let exchange = target.exchange ?? names.eventBus
    if let reason = Self.reserved(exchange, names) { return reason }
    for name in [target.key, target.detailType].compactMap({ $0 }) where Self.isReserved(key: name) {
      return "\(Self.quoted(name)) is reserved: events of the scheduler begin so"
    }
    if exchange.isSame(as: names.eventBus), target.detailType?.isSame(as: target.key) != true {
      return "on the event bus, the routing key \(Self.quoted(target.key)) must be the detailType"
    }
    // The payload would be the envelope, and name any event as sent by us.
    if exchange.isSame(as: names.eventBus), target.body == .payload {
      return "on the event bus, a body must be an event: the payload alone could pose as one of the scheduler"
    }
    guard !entries.isEmpty else {
      return "targets are off: the operator of this scheduler allows none"
    }
    guard !entries.contains(where: { $0.permits(target, to: exchange, userID) }) else { return nil }
    let user = userID.map { "user \(Self.quoted($0))" } ?? "a command without user_id"
    let source = target.source.map { " as source \(Self.quoted($0))" } ?? ""
    return "the operator does not let \(user) publish to exchange \(Self.quoted(exchange)) with routing key "
      + "\(Self.quoted(target.key))\(source)"
  }

  /// Why an exchange can never be a target; nil if it can.
  static func reserved(_ exchange: String, _ names: TopologyNames) -> String? {
    // The name of the event bus may begin like those of our exchanges.
    if exchange.isSame(as: names.eventBus) { return nil }
    if exchange.isEmpty { return "the default exchange is not for targets: it leads to every queue" }
    for prefix in ["amq.", names.stack + "."] where exchange.utf8.starts(with: prefix.utf8) {
      return "exchange \(quoted(exchange)) is not for targets: names that begin with \(prefix) are reserved"
    }
    return nil
  }

  private static func isReserved(key: String) -> Bool {
    reservedKeys.contains { key.utf8.starts(with: $0.utf8) }
  }

  private static func quoted(_ text: String) -> String {
    guard text.utf8.count > longestEcho else { return "\"\(text)\"" }
    var clipped = text
    while clipped.utf8.count > longestEcho { clipped.unicodeScalars.removeLast() }
    return "\"\(clipped)…\""
  }
}

extension TargetRules.Entry {
  fileprivate func permits(_ target: Target, to exchange: String, _ userID: String?) -> Bool {
    guard user == TargetRules.anybody || userID?.isSame(as: user) == true else { return false }
    guard exchange.isSame(as: self.exchange), target.source.map({ source?.isSame(as: $0) == true }) ?? true else {
      return false
    }
    return routingKey.matches(target.key)
  }
}

extension String {
  /// Whether the bytes are the same: Swift also takes different ones for equal, the broker does not.
  fileprivate func isSame(as other: String) -> Bool { utf8.elementsEqual(other.utf8) }
}

// MARK: - Configuration

extension TargetRules {
  private static let mostEntries = 1000
  private static let longestName = 255

  /// Reads the operator's list: a JSON array of objects with `user`, `exchange`, `routingKey` and, if wanted, `source`.
  static func read(_ json: String, names: TopologyNames) throws(ConfigurationError) -> TargetRules {
    let form = "must be a list of objects with the texts user, exchange, routingKey and, if wanted, source"
    guard let list = try? JSONDecoder().decode([[String: String]].self, from: Data(json.utf8)) else {
      throw ConfigurationError(.targets, form)
    }
    guard list.count <= mostEntries else {
      throw ConfigurationError(.targets, "has \(list.count) entries: at most \(mostEntries) are accepted")
    }
    var entries: [Entry] = []
    for (index, fields) in list.enumerated() {
      do throws(EntryError) {
        entries.append(try entry(fields, names))
      } catch {
        throw ConfigurationError(.targets, "entry \(index + 1): \(error.reason)")
      }
    }
    return TargetRules(entries, names: names)
  }

  private struct EntryError: Error {
    var reason: String
  }

  private static func entry(_ fields: [String: String], _ names: TopologyNames) throws(EntryError) -> Entry {
    let known = ["user", "exchange", "routingKey", "source"]
    if let unknown = fields.keys.sorted().first(where: { !known.contains($0) }) {
      throw EntryError(reason: "\(unknown) is not one of \(known.joined(separator: ", "))")
    }
    func text(_ name: String) throws(EntryError) -> String {
      guard let text = fields[name], !text.isEmpty else { throw EntryError(reason: "\(name) is missing") }
      guard name == "routingKey" || text.utf8.count <= longestName else {
        throw EntryError(reason: "\(name) has over \(longestName) bytes")
      }
      return text
    }
    let exchange = try text("exchange")
    if let reason = reserved(exchange, names) { throw EntryError(reason: reason) }
    let pattern = try text("routingKey")
    let routingKey: KeyPattern
    do throws(KeyPatternError) {
      routingKey = try KeyPattern(pattern)
    } catch {
      throw EntryError(reason: "routingKey: \(error)")
    }
    let source = fields["source"] == nil ? nil : try text("source")
    return Entry(user: try text("user"), exchange: exchange, routingKey: routingKey, source: source)
  }
}
