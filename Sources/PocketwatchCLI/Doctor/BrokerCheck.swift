import AMQP
import PocketwatchService

/// The broker as the service's login finds it: connection, login, rights, exchanges and queues.
///
/// Nothing is changed: messages are published in transactions that are rolled back, and declared is only what exists.
struct BrokerCheck {
  private let settings: BrokerSettings
  /// Whether the pages publish commands.
  private let publishesCommands: Bool
  private(set) var findings: [Finding] = []
  /// How many consumers the command queue has; nil when that could not be seen.
  private(set) var consumers: Int?
  /// How many messages each queue holds, as far as that could be seen.
  private(set) var messages: [String: Int] = [:]

  init(_ settings: BrokerSettings, publishesCommands: Bool) {
    self.settings = settings
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
    let rights = RightsCheck(names: settings.names, user: user, virtualHost: virtualHost)
    var topology = TopologyCheck(names: settings.names, virtualHost: virtualHost)
    try topology.look(on: connection)
    consumers = topology.consumers ?? consumers
    messages.merge(topology.messages) { $1 }
    findings += topology.findings
    if topology.isThere(settings.names.eventBus) {
      let publishing = try tryPublishing(on: connection, user: user)
      if publishing.isBlocked {
        findings.append(Self.blocked)
        return
      }
      // What gives the service its rights would take the client's away.
      guard publishesCommands || !publishing.isOfClient else {
        findings.append(rights.isClient)
        return
      }
      findings += rights.findings(publishing, publishesCommands: publishesCommands)
    }
    findings += topology.denied.map(rights.mayNotLook)
    if topology.isThere(settings.names.commandQueue) {
      // Last: it may cost the connection.
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
    for key in RightsCheck.eventKeys + TopologyNames.commandKeys { try attempt(key) }
    if let key = RightsCheck.eventKeys.first(where: { !publishing.denied.contains($0) }) {
      try attempt(key, bodyBytes: RightsCheck.largestEventBytes)
    }
    return publishing
  }

  private static func accepted(_ server: ServerInfo, usesTLS: Bool) -> [Finding] {
    let safety = usesTLS ? "over TLS, its certificate verified" : "without TLS"
    let words = "\(server.product) \(server.version) at \(server.endpoint) accepted the login, \(safety)"
    let version = server.version.split(separator: ".").compactMap { Int($0) }
    if server.product == "RabbitMQ", version.count > 1, (version[0], version[1]) < (3, 10) {
      return [.error(.broker, words + "; it is too old", "upgrade it to a supported version, 3.10 at least")]
    }
    return [.ok(.broker, words)]
  }

  private static var blocked: Finding {
    .error(
      .broker, "publishing is blocked by the broker: it is low on memory or disk space",
      "rabbitmqctl status names the alarm: free memory or disk there")
  }

  /// What an error means.
  static func finding(of error: AMQPError, _ caFile: String?, _ url: BrokerURL) -> Finding {
    let broker = error.endpoint ?? "the broker"
    switch error.kind {
    case .unreachable, .timeout, .connectionLost:
      // From RabbitMQ 4.1 on, a broker with small frames ends each connection during the login, without a reason.
      let frames =
        error.kind == .connectionLost
        ? "; if no client can log in, take a frame_max below 8192 out of rabbitmq.conf" : ""
      return .error(
        .broker, "\(broker) cannot be reached: \(error.text)",
        "start the broker, or correct host and port in \(Setting.amqpURL.environmentVariable)\(frames)")
    case .refusedLogin:
      return .error(
        .broker, "\(broker) refuses the login: \(error.text)",
        loginRemedy(url, isVirtualHost: error.text.contains("vhost")))
    case .tls:
      return .error(
        .broker, "no TLS connection to \(broker): \(error.text)",
        "openssl s_client -connect \(shellWord("\(url.host):\(url.port)")) -verify_return_error -CAfile"
          + " \(shellWord(caFile ?? "FILE")) shows the cause: the port has to expect TLS (usually 5671), and the host"
          + " has to be a DNS name of the certificate")
    case .topology: return .error(.broker, "\(broker): \(error.text)", "then run doctor again")
    default: return .error(.broker, error.description, "see the log of the broker")
    }
  }

  /// rabbitmqctl takes a password as an argument only, where other users of the machine can see it, or from a file.
  private static func loginRemedy(_ url: BrokerURL, isVirtualHost: Bool) -> String {
    if isVirtualHost {
      return "rabbitmqctl list_permissions -p \(shellWord(url.virtualHost)) shows who may use the virtual host;"
        + " ops/docs/operating.md lists the rights that the service needs"
    }
    return "correct user and password in \(Setting.amqpURL.environmentVariable); or set the password on the broker:"
      + " rabbitmqctl import_definitions FILE, with {\"users\": [{\"name\": \(jsonQuoted(url.user)), \"password\": \"…\","
      + " \"tags\": []}]} in FILE"
  }
}
