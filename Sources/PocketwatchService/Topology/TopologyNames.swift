import Bytes
import Scheduling

/// The names of exchanges and queues, derived from the names of the stack and the event bus.
package struct TopologyNames: Sendable, Hashable {
  package var stack: String
  package var eventBus: String

  package init(stack: String = "pocketwatch", eventBus: String = "events") {
    self.stack = stack
    self.eventBus = eventBus
  }

  package var commandQueue: String { stack + ".commands" }
  /// The fanout exchange and the queue for dead-lettered commands.
  package var deadExchange: String { stack + ".dead" }
  package var deadQueue: String { stack + ".dead" }
  /// The direct exchange for replies, to which clients bind queues of their own.
  package var replyExchange: String { stack + ".replies" }
  /// The routing keys of the command queue.
  package static let commandKeys = EventName.requests.map(\.rawValue)

  /// The name, if it has 1 to 40 characters of a-z, 0-9 and "-"; else nil.
  package static func validStack(_ name: String) -> String? {
    let isValid =
      (1...40).contains(name.utf8.count)
      && name.utf8.allSatisfy { byte in
        byte.isLetter && byte == byte.lowercased || byte.isDigit || byte == UInt8(ascii: "-")
      }
    return isValid ? name : nil
  }
}
