import AMQP
import Foundation
import NIOHTTP1
import PocketwatchService

/// Types, arguments, bindings and policies, which only the management plugin shows, against definitions.json.
struct ManagementCheck {
  private let client: HTTPClient
  private let names: TopologyNames
  /// In an address: `/` is `%2F`.
  private let virtualHost: String
  private(set) var findings: [Finding] = []
  /// This clock minus the broker's, in seconds; nil when it is not known.
  private(set) var clockOffset: Double?

  init(_ client: HTTPClient, names: TopologyNames, virtualHost: String) async {
    self.client = client
    self.names = names
    self.virtualHost = Self.encoded(virtualHost)
    do throws(HTTPClient.Failure) {
      try await measureClock()
      try await checkExchanges()
      try await checkQueues()
      if findings.isEmpty {
        findings.append(.ok(.policies, "types, arguments, bindings and policies are as definitions.json has them"))
      }
    } catch {
      findings.append(
        .error(
          .policies, "the management at \(client.address): \(error.words)",
          "rabbitmq-plugins enable rabbitmq_management; the login needs the tag monitoring:"
            + " rabbitmqctl set_user_tags USER monitoring"))
    }
  }

  private mutating func measureClock() async throws(HTTPClient.Failure) {
    let answer = try await client.get("/api/whoami")
    guard answer.status == 200 else { throw HTTPClient.Failure(words: Self.words(answer)) }
    // It tells whole seconds, so half of one is what it has passed on average.
    guard let date = answer.headers.first(name: "Date").flatMap(ClockCheck.seconds(ofHTTPDate:)) else { return }
    clockOffset = Date().timeIntervalSince1970 - date - 0.5
  }

  private mutating func checkExchanges() async throws(HTTPClient.Failure) {
    for (name, type) in [(names.eventBus, "topic"), (names.deadExchange, "fanout")] {
      guard let exchange = try await fetch(BrokerExchange.self, "exchanges", name) else { continue }
      findings += exchange.findings(name, type: type)
    }
  }

  private mutating func checkQueues() async throws(HTTPClient.Failure) {
    let topology = Topology(names: names)
    let keys = TopologyNames.commandKeys
    for (name, arguments, source, wanted) in [
      (names.commandQueue, topology.commandQueueArguments, names.eventBus, keys),
      (names.deadQueue, topology.deadQueueArguments, names.deadExchange, [""]),
    ] {
      guard let queue = try await fetch(BrokerQueue.self, "queues", name) else { continue }
      let wantedArguments = arguments.map { ($0.name, BrokerValue($0.value)) }
      findings += queue.findings(name, arguments: wantedArguments)
      let bindings = try await fetch([BrokerBinding].self, "queues", name, "/bindings") ?? []
      findings += BrokerBinding.findings(bindings, of: name, to: source, keys: wanted)
    }
  }

  /// Nil when it is not there, which AMQP tells as well.
  private func fetch<Value: Decodable>(
    _ type: Value.Type, _ kind: String, _ name: String, _ more: String = ""
  ) async throws(HTTPClient.Failure) -> Value? {
    let answer = try await client.get("/api/\(kind)/\(virtualHost)/\(Self.encoded(name))\(more)")
    if answer.status == 404 { return nil }
    guard answer.status == 200 else { throw HTTPClient.Failure(words: Self.words(answer)) }
    guard let value = try? JSONDecoder().decode(type, from: Data(answer.body)) else {
      throw HTTPClient.Failure(words: "what it says of \(name) cannot be read: is this RabbitMQ's management?")
    }
    return value
  }

  private static func words(_ answer: HTTPClient.Answer) -> String {
    switch answer.status {
    case 401, 403: "it refuses the login"
    case let status: "it answers \(status)"
    }
  }

  private static func encoded(_ name: String) -> String {
    name.addingPercentEncoding(withAllowedCharacters: .alphanumerics) ?? name
  }
}
