import AMQP
import Foundation
import NIOHTTP1
import PocketwatchService

/// Types, arguments, bindings and policies, which only the management plugin shows, against definitions.json.
struct ManagementCheck {
  private let client: HTTPClient
  private let names: TopologyNames
  private let virtualHost: String
  private let messages: [String: Int]
  private(set) var findings: [Finding] = []
  /// This clock minus the broker's, in seconds; nil when it is not known.
  private(set) var clockOffset: Double?

  /// - Parameter messages: How many messages each queue holds, as far as that is known. (The management learns of them
  ///   some seconds late.)
  init(_ client: HTTPClient, names: TopologyNames, virtualHost: String, messages: [String: Int]) async {
    self.messages = messages
    self.client = client
    self.names = names
    self.virtualHost = virtualHost
    do throws(Failure) {
      try await measureClock()
      try await checkExchanges()
      try await checkQueues()
      if findings.isEmpty {
        findings.append(.ok(.policies, "types, arguments, bindings and policies are as definitions.json has them"))
      }
    } catch {
      findings.append(.error(.policies, "the management at \(client.address): \(error.reason)", error.remedy))
    }
  }

  private struct Failure: Error {
    var reason: String
    var remedy: String
  }

  private mutating func measureClock() async throws(Failure) {
    let answer = try await get("whoami", remedy: "name in --management the address of the broker's management")
    // It shows whole seconds, so half of one has passed on average.
    guard let date = answer?.headers.first(name: "Date").flatMap(ClockCheck.seconds(ofHTTPDate:)) else { return }
    clockOffset = Date().timeIntervalSince1970 - date - 0.5
  }

  private mutating func checkExchanges() async throws(Failure) {
    for (name, type) in [(names.eventBus, "topic"), (names.deadExchange, "fanout")] {
      guard let exchange = try await fetch(BrokerExchange.self, "exchanges", name) else { continue }
      findings += exchange.findings(name, type: type)
    }
  }

  private mutating func checkQueues() async throws(Failure) {
    let topology = Topology(names: names)
    let topologyCheck = TopologyCheck(names: names, virtualHost: virtualHost)
    let policies = try await fetch([BrokerPolicy].self, "policies") ?? []
    let operatorPolicies = try await fetch([BrokerPolicy].self, "operator-policies") ?? []
    let nodes = try await nodes()
    let keys = [names.commandQueue: TopologyNames.commandKeys, names.deadQueue: [""]]
    for wanted in topology.policies {
      let isCommandQueue = wanted.queue == names.commandQueue
      guard let queue = try await fetch(BrokerQueue.self, "queues", wanted.queue) else { continue }
      let arguments = isCommandQueue ? topology.commandQueueArguments : topology.deadQueueArguments
      findings += queue.findings(
        wanted.queue, arguments: arguments.map { ($0.name, BrokerValue($0.value)) },
        remedy: topologyCheck.remake(wanted.queue, messages: messages[wanted.queue]))
      let check = PolicyCheck(
        wanted: wanted, arguments: queue.arguments, isCommandQueue: isCommandQueue, nodes: nodes,
        virtualHost: virtualHost,
        policy: BrokerPolicy.applied(of: policies, to: wanted.queue, shown: queue.policy),
        operatorPolicy: BrokerPolicy.applied(of: operatorPolicies, to: wanted.queue, shown: queue.operatorPolicy))
      findings += check.findings
      let bindings = try await fetch([BrokerBinding].self, "queues", wanted.queue, "/bindings") ?? []
      findings += BrokerBinding.findings(
        bindings, of: wanted.queue, to: isCommandQueue ? names.eventBus : names.deadExchange,
        keys: keys[wanted.queue] ?? [], remedy: topologyCheck.importing)
    }
  }

  /// How many nodes the cluster has; 1 when this login may not see that.
  private func nodes() async throws(Failure) -> Int {
    struct Node: Decodable {}
    guard let answer = try? await client.get("/api/nodes"), answer.status == 200 else { return 1 }
    return (try? JSONDecoder().decode([Node].self, from: Data(answer.body)).count) ?? 1
  }

  /// Reads what is in the virtual host: all of a kind, or one by its name. Nil when it is missing, which AMQP shows too.
  private func fetch<Value: Decodable>(
    _ type: Value.Type, _ kind: String, _ name: String? = nil, _ more: String = ""
  ) async throws(Failure) -> Value? {
    let path = ([kind, virtualHost] + (name.map { [$0] } ?? [])).map(Self.encoded).joined(separator: "/")
    guard let answer = try await get(path + more) else { return nil }
    guard let value = try? JSONDecoder().decode(type, from: Data(answer.body)) else {
      throw Failure(
        reason: "its answer to /api/\(path)\(more) cannot be read", remedy: "is this RabbitMQ's management?")
    }
    return value
  }

  private func get(
    _ path: String, remedy: String = "see the log of the broker"
  ) async throws(Failure) -> HTTPClient.Answer? {
    let answer: HTTPClient.Answer
    do throws(HTTPClient.Failure) {
      answer = try await client.get("/api/\(path)")
    } catch {
      throw Failure(reason: error.words, remedy: "rabbitmq-plugins enable rabbitmq_management; and see its address")
    }
    switch answer.status {
    case 200: return answer
    case 404 where path != "whoami": return nil
    case 401, 403:
      throw Failure(
        reason: "it refuses the login: \(Self.reason(answer))",
        remedy: "check user and password: --management http://USER@host:port, --management-password-file FILE. The user"
          + " needs the tag monitoring (rabbitmqctl list_users) and rights in the virtual host \(virtualHost)"
          + " (rabbitmqctl list_permissions -p \(shellWord(virtualHost)))")
    case let status: throw Failure(reason: "it answers \(status) to /api/\(path)", remedy: remedy)
    }
  }

  private static func reason(_ answer: HTTPClient.Answer) -> String {
    struct Refusal: Decodable { var reason: String }
    return (try? JSONDecoder().decode(Refusal.self, from: Data(answer.body)))?.reason ?? "status \(answer.status)"
  }

  private static func encoded(_ name: String) -> String {
    name.addingPercentEncoding(withAllowedCharacters: unreserved) ?? name
  }

  private static let unreserved = CharacterSet(
    charactersIn: "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")
}
