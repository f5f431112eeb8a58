import AMQP
import AdminHTTP
import Foundation
import NIOHTTP1
import PocketwatchService

/// Compares types, arguments, bindings and policies, which only the management API shows, with definitions.json.
struct ManagementCheck {
  private let management: HTTPEndpoint
  private let names: TopologyNames
  private let virtualHost: String
  private let messages: [String: Int]
  private(set) var findings: [Finding] = []
  /// This clock minus the broker's, in seconds; nil when unknown.
  private(set) var clockOffset: Double?

  /// - Parameter messages: The number of messages in each queue, as far as known. The management API's own figures are
  ///   up to some seconds old.
  init(_ management: HTTPEndpoint, names: TopologyNames, virtualHost: String, messages: [String: Int]) async {
    self.messages = messages
    self.management = management
    self.names = names
    self.virtualHost = virtualHost
    do throws(Failure) {
      try await measureClock()
      try await checkExchanges()
      try await checkQueues()
      if findings.isEmpty {
        findings.append(.ok(.policies, "types, arguments, bindings and policies match definitions.json"))
      }
    } catch {
      findings.append(.error(.policies, "management API at \(management.address): \(error.reason)", error.remedy))
    }
  }

  private struct Failure: Error {
    var reason: String
    var remedy: String
  }

  private mutating func measureClock() async throws(Failure) {
    let response = try await get("whoami", remedy: "pass the address of the broker's management API with --management")
    // The Date header has whole seconds; on average half a second has passed.
    guard let date = response?.headers.first(name: "Date").flatMap(ClockCheck.seconds(ofHTTPDate:)) else { return }
    clockOffset = Date().timeIntervalSince1970 - date - 0.5
  }

  private mutating func checkExchanges() async throws(Failure) {
    for (name, type) in Topology(names: names).exchanges {
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

  /// The number of cluster nodes; 1 when this login may not see them.
  private func nodes() async throws(Failure) -> Int {
    struct Node: Decodable {}
    guard let response = try? await management.get("/api/nodes"), response.status == 200 else { return 1 }
    return (try? JSONDecoder().decode([Node].self, from: Data(response.body)).count) ?? 1
  }

  /// Reads all objects of a kind in the virtual host, or one by name. Nil when it does not exist, which `TopologyCheck`
  /// reports.
  private func fetch<Value: Decodable>(
    _ type: Value.Type, _ kind: String, _ name: String? = nil, _ more: String = ""
  ) async throws(Failure) -> Value? {
    let path = ([kind, virtualHost] + (name.map { [$0] } ?? [])).map(percentEncoded).joined(separator: "/")
    guard let response = try await get(path + more) else { return nil }
    guard let value = try? JSONDecoder().decode(type, from: Data(response.body)) else {
      throw Failure(
        reason: "unexpected response to /api/\(path)\(more)", remedy: "check that it is RabbitMQ's management API")
    }
    return value
  }

  private func get(
    _ path: String, remedy: String = "see the log of the broker"
  ) async throws(Failure) -> HTTPEndpoint.Response? {
    let response: HTTPEndpoint.Response
    do throws(HTTPFailure) {
      response = try await management.get("/api/\(path)")
    } catch {
      throw Failure(
        reason: error.message, remedy: "rabbitmq-plugins enable rabbitmq_management; check the address of --management")
    }
    switch response.status {
    case 200: return response
    case 404 where path != "whoami": return nil
    case 401, 403:
      throw Failure(
        reason: "login refused: \(Self.reason(response))",
        remedy: "check user and password: --management http://USER@host:port, --management-password-file FILE. The user"
          + " requires the tag monitoring (rabbitmqctl list_users) and rights in the virtual host \(virtualHost)"
          + " (rabbitmqctl list_permissions -p \(shellWord(virtualHost)))")
    case let status: throw Failure(reason: "status \(status) for /api/\(path)", remedy: remedy)
    }
  }

  private static func reason(_ response: HTTPEndpoint.Response) -> String {
    struct Refusal: Decodable { var reason: String }
    return (try? JSONDecoder().decode(Refusal.self, from: Data(response.body)))?.reason ?? "status \(response.status)"
  }
}
