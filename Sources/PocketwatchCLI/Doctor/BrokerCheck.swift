import AMQP
import Bytes
import PocketwatchService

/// Checks the broker with the service's login: connection, login, rights, exchanges and queues.
///
/// It changes nothing: it publishes in transactions that are rolled back, and re-declares only what exists.
struct BrokerCheck {
  private let settings: BrokerSettings
  /// Whether the pages may publish commands.
  private let publishesCommands: Bool
  /// The exchanges of the operator's list of targets.
  private let targets: [String]
  private(set) var findings: [Finding] = []
  /// The number of consumers of the command queue; nil when unknown.
  private(set) var consumers: Int?
  /// The number of messages in each queue, as far as known.
  private(set) var messages: [String: Int] = [:]

  init(_ settings: BrokerSettings, publishesCommands: Bool, targets: TargetRules? = nil) {
    self.settings = settings
    self.targets = Set(targets?.entries.map(\.exchange) ?? []).sorted()
    self.publishesCommands = publishesCommands
    for url in settings.urls {
      do throws(AMQPError) {
        let connection = try Connection(
          to: url, options: settings.connectionOptions(name: "\(settings.names.stack) doctor"))
        defer { connection.close() }
        findings += Self.accepted(connection.server, usesTLS: url.usesTLS)
        try check(connection, user: url.user, virtualHost: url.virtualHost)
      } catch {
        findings.append(Self.finding(of: error, settings.tls?.caFile, url))
      }
    }
  }

  private mutating func check(_ connection: Connection, user: String, virtualHost: String) throws(AMQPError) {
    let rights = RightsCheck(
      names: settings.names, user: user, virtualHost: virtualHost, answersDirectly: settings.answersDirectly,
      targets: targets)
    var topology = TopologyCheck(names: settings.names, virtualHost: virtualHost)
    try topology.check(on: connection)
    consumers = topology.consumers ?? consumers
    messages.merge(topology.messages) { $1 }
    findings += topology.findings
    if topology.exists(settings.names.eventBus) {
      let publishing = try tryPublishing(on: connection, user: user)
      if publishing.isBlocked {
        findings.append(Self.blocked)
        return
      }
      // The remedies would replace the client's permissions with the service's.
      guard publishesCommands || !publishing.isOfClient else {
        findings.append(rights.isClient)
        return
      }
      findings += rights.findings(publishing, publishesCommands: publishesCommands)
    }
    if topology.exists(settings.names.replyExchange),
      try !mayReply(to: settings.names.replyExchange, on: connection, user: user)
    {
      findings.append(rights.mayNotReply(to: settings.names.replyExchange))
    }
    if settings.answersDirectly, try !mayReply(to: "", on: connection, user: user) {
      findings.append(rights.mayNotReply(to: RightsCheck.defaultExchange))
    }
    try checkTargets(on: connection, rights)
    findings += topology.denied.map(rights.mayNotSee)
    if topology.exists(settings.names.commandQueue) {
      // Last, because the broker may close the connection.
      let queue = settings.names.commandQueue
      findings += rights.reading(
        try connection.refusalOfGet(from: queue), remake: topology.remake(queue, messages: topology.messages[queue]))
    }
  }

  private func tryPublishing(on connection: Connection, user: String) throws(AMQPError) -> RightsCheck.Publishing {
    var publishing = RightsCheck.Publishing()
    func attempt(_ key: String, bodyBytes: Int = 0) throws(AMQPError) {
      if publishing.isBlocked { return }
      publishing.note(
        key,
        try connection.verdictOfPublish(
          to: settings.names.eventBus, routingKey: key, userID: settings.sendsUserID ? user : nil, bodyBytes: bodyBytes)
      )
    }
    for key in RightsCheck.eventKeys + RightsCheck.commandKeys { try attempt(key) }
    if let key = RightsCheck.eventKeys.first(where: { !publishing.denied.contains($0) }) {
      try attempt(key, bodyBytes: RightsCheck.largestEventBytes)
    }
    return publishing
  }

  /// Topic permissions cannot be checked: the routing keys are those of patterns.
  private mutating func checkTargets(on connection: Connection, _ rights: RightsCheck) throws(AMQPError) {
    let count = findings.count
    for exchange in targets where exchange != settings.names.eventBus {
      do throws(AMQPError) {
        guard try connection.checkExchange(exchange) else {
          findings.append(RightsCheck.missing(target: exchange))
          continue
        }
      } catch  where error.kind == .channelClosed(code: 403) {
        try connection.openChannel()  // RabbitMQ 4.3 shows it only to those who have a right to it
      }
      let verdict = try connection.verdictOfPublish(
        to: exchange, routingKey: "\(settings.names.stack).doctor", userID: settings.sendsUserID ? rights.user : nil)
      guard case .refused(let refusal) = verdict, refusal.kind == .channelClosed(code: 403),
        !refusal.text.contains("topic '")
      else { continue }
      findings.append(rights.mayNotPublish(toTarget: exchange))
    }
    guard !targets.isEmpty, findings.count == count else { return }
    findings.append(.ok(.rights, "\(rights.user) may publish to the exchanges of \(Setting.targets.key)"))
  }

  /// A wrong `user_id` is found with the events.
  private func mayReply(to exchange: String, on connection: Connection, user: String) throws(AMQPError) -> Bool {
    let verdict = try connection.verdictOfPublish(
      to: exchange, routingKey: "\(settings.names.stack).doctor", userID: settings.sendsUserID ? user : nil)
    if case .refused(let refusal) = verdict { return refusal.kind != .channelClosed(code: 403) }
    return true
  }

  private static func accepted(_ server: ServerInfo, usesTLS: Bool) -> [Finding] {
    let security = usesTLS ? "with TLS, certificate verified" : "without TLS"
    let message = "\(server.product) \(server.version) at \(server.endpoint) accepted the login, \(security)"
    let version = server.version.split(separator: ".").compactMap { Int($0) }
    if server.product == "RabbitMQ", version.count > 1, (version[0], version[1]) < (3, 10) {
      return [.error(.broker, message + "; this version is too old", "upgrade to a supported version, at least 3.10")]
    }
    return [.ok(.broker, message)]
  }

  private static var blocked: Finding {
    .error(
      .broker, "publishing blocked by the broker (low on memory or disk space)",
      "rabbitmqctl status shows the alarm; free memory or disk space on the broker")
  }

  /// The finding for a connection error.
  static func finding(of error: AMQPError, _ caFile: String?, _ url: BrokerURL) -> Finding {
    let broker = error.endpoint ?? "the broker"
    switch error.kind {
    case .unreachable, .timeout, .connectionLost:
      // RabbitMQ 4.1 and later with a small frame_max closes each connection during the login, without a reason.
      let frames =
        error.kind == .connectionLost
        ? "; if no client can log in, remove a frame_max below 8192 from rabbitmq.conf" : ""
      return .error(
        .broker, "\(broker) cannot be reached: \(error.text)",
        "start the broker, or correct the host and port in \(Setting.amqpURL.environmentVariable)\(frames)")
    case .refusedLogin:
      return .error(
        .broker, "\(broker) refuses the login: \(error.text)",
        loginRemedy(url, isVirtualHost: error.text.contains("vhost")))
    case .tls:
      return .error(
        .broker, "no TLS connection to \(broker): \(error.text)",
        "openssl s_client -connect \(shellWord("\(url.host):\(url.port)")) -verify_return_error -CAfile"
          + " \(shellWord(caFile ?? "FILE")) shows the cause: the port must expect TLS (usually 5671), and the host must"
          + " be a DNS name in the certificate")
    case .topology: return .error(.broker, "\(broker): \(error.text)", "fix it, then run doctor again")
    default: return .error(.broker, error.description, "see the log of the broker")
    }
  }

  /// A file, because rabbitmqctl's password argument would be visible to other users of the machine.
  private static func loginRemedy(_ url: BrokerURL, isVirtualHost: Bool) -> String {
    if isVirtualHost {
      return "rabbitmqctl list_permissions -p \(shellWord(url.virtualHost)) shows who has access to the virtual host;"
        + " ops/docs/operating.md lists the rights that the service needs"
    }
    return "correct the user and password in \(Setting.amqpURL.environmentVariable); or set the password on the broker:"
      + " rabbitmqctl import_definitions FILE, with {\"users\": [{\"name\": \(jsonQuoted(url.user)), \"password\": \"…\","
      + " \"tags\": []}]} in FILE"
  }
}
