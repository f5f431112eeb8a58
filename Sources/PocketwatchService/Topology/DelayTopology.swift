package import AMQP
import Scheduling

/// The exchanges and queues of delayed messages, to be imported in addition to `Topology`.
package struct DelayTopology: Sendable {
  /// A front and the type of its exchange.
  package struct Front: Sendable, Hashable {
    package enum Kind: String, CaseIterable, Sendable {
      case direct, fanout, headers, topic
    }

    package var name: String
    package var kind: Kind

    package init(name: String, kind: Kind) {
      self.name = name
      self.kind = kind
    }
  }

  package struct Exchange: Sendable {
    package var name: String
    package var type: String
    package var arguments: [(name: String, value: FieldValue)] = []
  }

  package let names: TopologyNames
  package let fronts: [Front]
  package let backs: [String]

  /// - Parameter kinds: The types of the fronts, in the order of the map.
  package init(names: TopologyNames, map: DelayMap, kinds: [Front.Kind]) {
    assert(kinds.count == map.routes.count, "a front without a type")
    self.names = names
    fronts = zip(map.routes, kinds).map { Front(name: $0.front, kind: $1) }
    backs = map.routes.map(\.back)
  }

  /// As for the command queue: what must not depend on an operator's policy.
  package var queueArguments: [(name: String, value: FieldValue)] { Topology(names: names).commandQueueArguments }

  package var queues: [String] { fronts.map { names.intakeQueue(of: $0.name) } }

  /// Fronts, and for each direct front a fanout exchange. A direct exchange can be bound by named keys only, so messages get
  /// from it to its queue as unroutable ones: by its alternate exchange.
  package var exchanges: [Exchange] {
    fronts.flatMap { front in
      guard front.kind == .direct else { return [Exchange(name: front.name, type: front.kind.rawValue)] }
      let intake = names.intakeQueue(of: front.name)
      return [
        // Not internal: RabbitMQ 3.10 leaves internal exchanges out of what it exports.
        Exchange(name: intake, type: "fanout"),
        Exchange(name: front.name, type: "direct", arguments: [("alternate-exchange", .string(intake))]),
      ]
    }
  }

  package var bindings: [(exchange: String, queue: String, key: String)] {
    fronts.map { front in
      let intake = names.intakeQueue(of: front.name)
      return (front.kind == .direct ? intake : front.name, intake, front.kind == .topic ? "#" : "")
    }
  }

  package var policy: QueuePolicy {
    QueuePolicy(
      queue: "\(names.stack).delayed", maximumLength: 1_000_000, maximumBytes: 4 << 30,
      pattern: "^\(Self.escaped(names.intakeQueue(of: "")))")
  }

  /// Regular expressions of what the service's login may read and write, delayed messages included. It configures nothing.
  package var rights: (write: String, read: String) {
    let writes = [names.eventBus, names.deadExchange, names.replyExchange] + Set(backs).sorted()
    return (
      "^(\(writes.map(Self.escaped).joined(separator: "|")))$",
      "^(\(Self.escaped(names.commandQueue))$|\(Self.escaped(names.intakeQueue(of: ""))))"
    )
  }

  /// A regular expression of Erlang for exactly this text.
  private static func escaped(_ text: String) -> String {
    String(text.flatMap { #"\^$.|?*+()[]{}"#.contains($0) ? ["\\", $0] : [$0] })
  }
}
