package import Scheduling

/// The exchanges of delayed messages: publishers send to a front, and when its delay is over, a message is published to the
/// front's back, to which consumers bind.
package struct DelayMap: Sendable, Hashable {
  /// In the order of the configuration.
  package let routes: [MessageRoute]

  /// How the setting is called in errors.
  package static let settingName = "POCKETWATCH_DELAYS (delays in the file)"
  private static let maximumNameBytes = 255

  /// Throws for a front or a back that must not be one.
  package init(_ routes: [MessageRoute], names: TopologyNames) throws(ConfigurationError) {
    self.routes = routes
    let fronts = Set(routes.map(\.front))
    for (index, route) in routes.enumerated() {
      try Self.checkFront(route.front, names)
      guard !routes[..<index].contains(where: { $0.front == route.front }) else {
        throw Self.error(route.front, "has two backs; each front has one")
      }
      try Self.checkBack(route.back, names)
      // A message would come back to the service again and again.
      guard !fronts.contains(route.back) else { throw Self.error(route.back, "is a front, so it cannot be a back") }
    }
  }

  /// Reads `front=back, front=back`. Names that contain a comma or an equals sign have to be in the file.
  package init(_ text: String, names: TopologyNames) throws(ConfigurationError) {
    var routes: [MessageRoute] = []
    for pair in text.split(separator: ",", omittingEmptySubsequences: false) {
      let parts = pair.split(separator: "=", omittingEmptySubsequences: false).map(Self.trimmed)
      guard parts.count == 2 else {
        throw ConfigurationError(
          Self.settingName, "\(Self.quoted(Self.trimmed(pair))) is not front=back; pairs are separated by commas")
      }
      routes.append(MessageRoute(front: parts[0], back: parts[1]))
    }
    try self.init(routes, names: names)
  }

  /// Reads an object of the file, whose keys are the fronts.
  package init(_ object: [String: String], names: TopologyNames) throws(ConfigurationError) {
    let routes = object.map { MessageRoute(front: $0.key, back: $0.value) }.sorted { $0.front < $1.front }
    try self.init(routes, names: names)
  }

  private static func checkFront(_ front: String, _ names: TopologyNames) throws(ConfigurationError) {
    let longest = maximumNameBytes - names.intakeQueue(of: "").utf8.count
    guard 1...longest ~= front.utf8.count else {
      throw error(front, "cannot be a front: its name must have 1 to \(longest) bytes")
    }
    if let reason = reason(against: front, names) { throw error(front, "cannot be a front: \(reason)") }
  }

  private static func checkBack(_ back: String, _ names: TopologyNames) throws(ConfigurationError) {
    guard 1...maximumNameBytes ~= back.utf8.count else {
      throw error(back, "cannot be a back: its name must have 1 to \(maximumNameBytes) bytes")
    }
    if let reason = reason(against: back, names) { throw error(back, "cannot be a back: \(reason)") }
  }

  /// Through such a back, whoever may write to the front could publish ticks with the service's login.
  private static func reason(against exchange: String, _ names: TopologyNames) -> String? {
    if exchange == names.eventBus { return "it is the event bus" }
    if exchange.hasPrefix("amq.") { return "names that begin with amq. are the broker's" }
    if exchange.hasPrefix(names.stack + ".") { return "names that begin with \(names.stack). are the scheduler's" }
    return nil
  }

  private static func error(_ exchange: String, _ reason: String) -> ConfigurationError {
    ConfigurationError(settingName, "\(quoted(exchange)) \(reason)")
  }

  private static func quoted(_ name: String) -> String {
    "\"\(name.unicodeScalars.count > 64 ? String(name.prefix(64)) + "…" : name)\""
  }

  private static func trimmed(_ text: Substring) -> String {
    let isBlank = { (character: Character) in character == " " || character == "\t" }
    let start = text.drop(while: isBlank)
    return String(start.reversed().drop(while: isBlank).reversed())
  }
}

extension TopologyNames {
  /// The queue in which the messages of a front wait for the service, and the exchange of that name that fills it if the front
  /// is a direct exchange.
  package func intakeQueue(of front: String) -> String { "\(stack).delayed.\(front)" }
}
