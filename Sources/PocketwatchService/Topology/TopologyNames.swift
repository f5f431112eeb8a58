import Scheduling

/// What things are called on the broker, after the names of the stack and the event bus.
package struct TopologyNames: Sendable, Hashable {
  package var stack: String
  package var eventBus: String

  package init(stack: String = "pocketwatch", eventBus: String = "events") {
    self.stack = stack
    self.eventBus = eventBus
  }

  package var commandQueue: String { stack + ".commands" }
  /// The fanout exchange and the queue that keep refused commands.
  package var deadExchange: String { stack + ".dead" }
  package var deadQueue: String { stack + ".dead" }
  /// The routing keys of commands.
  package static let commandKeys = EventName.commands.map(\.rawValue)

  /// The name, if it is 1 to 40 of a-z, 0-9 and "-".
  package static func validStack(_ name: String) -> String? {
    let isValid =
      (1...40).contains(name.utf8.count)
      && name.utf8.allSatisfy { byte in
        (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte) || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
          || byte == UInt8(ascii: "-")
      }
    return isValid ? name : nil
  }
}
