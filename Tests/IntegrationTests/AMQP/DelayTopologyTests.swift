import AMQP
import Foundation
import PocketwatchService
import Scheduling
import Testing

/// The definitions for delayed messages, imported into a real broker.
@Suite(.enabled(if: PrivateBroker.script != nil, "POCKETWATCH_TEST_BROKER names ops/broker; run ops/test"))
struct DelayTopologyTests {
  private static let names = TopologyNames()
  private static let kinds = DelayTopology.Front.Kind.allCases

  /// One front of each type; the back of a front is named after it.
  private static func topology() throws -> DelayTopology {
    let routes = kinds.map { MessageRoute(front: "in.\($0)", back: "out+\($0)") }
    return DelayTopology(names: names, map: try DelayMap(routes, names: names), kinds: kinds)
  }

  @Test func eachFrontFillsItsQueueAndTheRightsSuffice() async throws {
    try await PrivateBroker.running([]) { broker in
      let topology = try Self.topology()
      let file = broker.folder.appending(path: "definitions.json")
      try Data(Topology(names: Self.names).definitions(virtualHost: "/", adding: topology).utf8).write(to: file)
      // Twice: what was imported fits what is imported.
      for _ in 0..<2 { try await broker.command("import", [file.path()]) }
      try await exportsWhatWasImported(broker, topology)

      let url = try await broker.url()
      let admin = try connect(to: url)
      for back in topology.backs { try admin.declareExchange(back, type: "fanout", durable: true) }
      try fillsQueues(topology, admin)
      try await hasItsPolicy(broker, topology)
      try await broker.ctl("add_user", "service", "correct-horse")
      try await broker.ctl("set_permissions", "-p", "/", "service", "^$", topology.rights.write, topology.rights.read)
      try useRights(topology, url)
    }
  }

  /// Every key that a publisher may use gets to the queue of the front, and nothing to another one.
  private func fillsQueues(_ topology: DelayTopology, _ admin: Connection) throws {
    try admin.enableConfirms()
    for front in topology.fronts {
      for key in ["", "orders", "a.b.c"] {
        try admin.publish(Message(exchange: front.name, routingKey: key, mandatory: true, body: Array(key.utf8)))
        guard case .confirmed(_, _, accepted: true) = try admin.nextEvent() else {
          throw Unexpected("\(front.name) did not take \"\(key)\"")
        }
      }
      let status = try admin.checkQueue(Self.names.intakeQueue(of: front.name))
      #expect(status?.messages == 3, "\(front)")
    }
  }

  /// With the rights that are printed, the service reads each queue and writes each back, and can do nothing else.
  private func useRights(_ topology: DelayTopology, _ url: URLComponents) throws {
    for front in topology.fronts {
      let connection = try connect(to: url, as: "service")
      try connection.consume(Self.names.intakeQueue(of: front.name), prefetch: 3)
      for key in ["", "orders", "a.b.c"] {
        guard case .delivery(let delivery) = try connection.nextEvent() else { throw Unexpected("no delivery") }
        #expect(delivery.routingKey == Array(key.utf8))
        #expect(delivery.exchange == front.name)
        try connection.acknowledge(delivery.tag)
      }
    }
    let connection = try connect(to: url, as: "service")
    try connection.enableConfirms()
    for exchange in topology.backs + ["pocketwatch.dead"] {
      try connection.publish(Message(exchange: exchange, routingKey: "", body: []))
      guard case .confirmed(_, _, accepted: true) = try connection.nextEvent() else { throw Unexpected("refused") }
    }
    let denied: [(Connection) throws -> Void] = [
      {
        try $0.publish(Message(exchange: topology.fronts[0].name, routingKey: "", body: [])); _ = try $0.nextEvent()
      },
      { try $0.consume("pocketwatch.dead", prefetch: 1) },
      { try $0.declareQueue("pocketwatch.delayed.other") },
    ]
    for (index, attempt) in denied.enumerated() {
      let connection = try connect(to: url, as: "service")
      #expect("attempt \(index)") {
        try attempt(connection)
      } throws: { ($0 as? AMQPError)?.kind == .channelClosed(code: 403) }
    }
  }

  private func hasItsPolicy(_ broker: PrivateBroker, _ topology: DelayTopology) async throws {
    let output = try await broker.command(
      "ctl", ["--quiet", "--formatter", "json", "list_queues", "name", "type", "policy"])
    let queues = try JSONDecoder().decode([[String: String]].self, from: output)
    for queue in topology.queues {
      let row = try #require(queues.first { $0["name"] == queue })
      #expect(row["type"] == "quorum")
      #expect(row["policy"] == "pocketwatch.delayed", "\(row)")
    }
  }

  /// A backup of the broker's definitions is complete: 3.10 leaves internal exchanges out.
  private func exportsWhatWasImported(_ broker: PrivateBroker, _ topology: DelayTopology) async throws {
    let output = try await broker.command("ctl", ["--quiet", "export_definitions", "-", "--format", "json"])
    struct Export: Decodable {
      struct Exchange: Decodable { var name: String }
      var exchanges: [Exchange]
    }
    let names = try JSONDecoder().decode(Export.self, from: output).exchanges.map(\.name)
    for exchange in topology.exchanges { #expect(names.contains(exchange.name), "\(exchange)") }
  }

  private func connect(to url: URLComponents, as user: String? = nil) throws -> Connection {
    var url = url
    if let user { (url.user, url.password) = (user, "correct-horse") }
    let broker = try BrokerURL(url.string ?? "")
    return try Connection(
      to: broker, options: ConnectionOptions(brokers: [broker], connectionName: "delay topology test"))
  }
}
