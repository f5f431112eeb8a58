import AMQP
import Foundation
import Scheduling
import Testing

/// The sample users have the rights that they need, and no others.
@Suite(.enabled(if: PrivateBroker.script != nil, "POCKETWATCH_TEST_BROKER names ops/broker; run ops/test"))
struct TopologyRightsTests {
  /// An operation that a user tries.
  private struct Attempt: Sendable {
    let user: String
    let what: String
    let act: @Sendable (Connection) throws -> Void

    init(_ user: String, _ what: String, _ act: @escaping @Sendable (Connection) throws -> Void) {
      self.user = user
      self.what = what
      self.act = act
    }
  }

  @Test func sampleUsersHaveTheRightsTheyNeedAndNoOthers() async throws {
    try await PrivateBroker.running([]) { broker in
      for file in ["definitions.json", "ops/users.json"] {
        try await broker.command("import", [PrivateBroker.root.appending(path: file).path()])
      }
      let url = try await broker.url()
      for user in ["pocketwatch", "client", "sender"] {
        #expect(throws: AMQPError.self, "without a password nobody gets in") { try connect(to: url, as: user, "") }
        try await broker.ctl("change_password", user, Self.password)
      }
      for attempt in Self.allowed {
        #expect(throws: Never.self, "\(attempt.user) may \(attempt.what)") { try make(attempt, at: url) }
      }
      for attempt in Self.refused {
        #expect("\(attempt.user) may not \(attempt.what)") {
          try make(attempt, at: url)
        } throws: { error in
          (error as? AMQPError)?.kind == .channelClosed(code: 403)
        }
      }
    }
  }

  private static let password = "correct-horse"
  private static let outcomes = EventName.published.map(\.rawValue)
  private static let commands = EventName.requests.map(\.rawValue)

  private static let allowed =
    [
      Attempt("pocketwatch", "look at the topology") { connection in
        for exchange in ["events", "pocketwatch.dead", "pocketwatch.replies"] {
          let isThere = try connection.checkExchange(exchange)
          #expect(isThere)
        }
        for queue in ["pocketwatch.commands", "pocketwatch.dead"] {
          let status = try connection.checkQueue(queue)
          #expect(status != nil)
        }
      },
      Attempt("pocketwatch", "reply") {
        try publish("client.replies", to: "pocketwatch.replies", as: "pocketwatch", on: $0)
      },
      Attempt("client", "receive replies in a queue of its own") { connection in
        try connection.declareQueue("client.replies", durable: false, exclusive: true)
        try connection.bindQueue("client.replies", to: "pocketwatch.replies", routingKey: "client.replies")
        try connection.consume("client.replies", prefetch: 1)
      },
      Attempt("client", "bind queues of its own to the events") { connection in
        for queue in ["client.jobs", "pocketwatch.cli.1"] {
          try connection.declareQueue(queue, durable: false, exclusive: true)
          for key in outcomes { try connection.bindQueue(queue, to: "events", routingKey: key) }
          try connection.consume(queue, prefetch: 1)
        }
      },
    ]
    + outcomes.map { key in Attempt("pocketwatch", "publish \(key)") { try publish(key, as: "pocketwatch", on: $0) } }
    + ["client", "sender"].flatMap { user in
      commands.map { key in Attempt(user, "publish \(key)") { try publish(key, as: user, on: $0) } }
    }
    + [
      Attempt("pocketwatch", "consume commands, and reject them to the dead queue") { connection in
        try connection.consume("pocketwatch.commands", prefetch: 1)
        for _ in commands {
          guard case .delivery(let delivery) = try connection.nextEvent() else {
            Issue.record("the commands published before were not delivered")
            return
          }
          try connection.reject(delivery.tag)
        }
      }
    ]

  private static let refused =
    ["client", "sender"].flatMap { user in
      outcomes.map { key in Attempt(user, "forge \(key)") { try publish(key, on: $0) } }
    }
    + commands.map { key in Attempt("pocketwatch", "publish \(key)") { try publish(key, on: $0) } }
    + [
      Attempt("pocketwatch", "read dead commands") { try $0.consume("pocketwatch.dead", prefetch: 1) },
      Attempt("pocketwatch", "declare") { try $0.declareQueue("pocketwatch.other") },
      Attempt("pocketwatch", "delete its queue") { try $0.deleteQueue("pocketwatch.commands") },
      Attempt("client", "read commands") { try $0.consume("pocketwatch.commands", prefetch: 1) },
      Attempt("client", "read dead commands") { try $0.consume("pocketwatch.dead", prefetch: 1) },
      Attempt("client", "declare a queue of another name") { try $0.declareQueue("jobs") },
      Attempt("client", "publish to a queue past the exchange") { connection in
        try publish("pocketwatch.commands", to: "", on: connection)
      },
      Attempt("client", "forge a reply") { try publish("client.replies", to: "pocketwatch.replies", on: $0) },
      Attempt("sender", "receive replies") { connection in
        try connection.bindQueue("pocketwatch.commands", to: "pocketwatch.replies", routingKey: "x")
      },
      Attempt("client", "fill the dead queue") { try publish("", to: "pocketwatch.dead", on: $0) },
      // Through an exchange of its own, bound to the events, a user could publish ticks past the topic permission.
      Attempt("sender", "declare an exchange") { try $0.declareExchange("client.forge", type: "fanout") },
      Attempt("sender", "declare a queue") { try $0.declareQueue("client.jobs") },
      Attempt("client", "listen to the commands of others") { connection in
        try connection.declareQueue("client.spy", durable: false, exclusive: true)
        try connection.bindQueue("client.spy", to: "events", routingKey: "#")
      },
    ]

  /// Publishes and waits for the confirm, or for the error that closes the channel.
  private static func publish(
    _ key: String, to exchange: String = "events", as user: String? = nil, on connection: Connection
  ) throws {
    try connection.enableConfirms()
    var properties = Properties()
    properties.userID = user
    try connection.publish(Message(exchange: exchange, routingKey: key, properties: properties, body: Array("{}".utf8)))
    guard case .confirmed = try connection.nextEvent() else {
      Issue.record("neither a confirm nor an error")
      return
    }
  }

  private func make(_ attempt: Attempt, at url: URLComponents) throws {
    let connection = try connect(to: url, as: attempt.user, Self.password)
    defer { connection.close() }
    try attempt.act(connection)
  }

  private func connect(to url: URLComponents, as user: String, _ password: String) throws -> Connection {
    var url = url
    url.user = user
    url.password = password
    let broker = try BrokerURL(url.string ?? "")
    return try Connection(to: broker, options: ConnectionOptions(brokers: [broker], connectionName: "rights test"))
  }
}
