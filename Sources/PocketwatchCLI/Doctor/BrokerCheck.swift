import AMQP
import PocketwatchService

/// The broker as the service's login finds it: reached, let in, allowed what it needs, with all that must be there.
///
/// Nothing is declared, published or taken: what is tried is what the broker refuses, after it has looked at the
/// rights.
struct BrokerCheck {
  private let settings: BrokerSettings
  /// Whether the pages publish commands.
  private let publishesCommands: Bool
  private(set) var findings: [Finding] = []
  /// How many consumers the command queue has; nil when that could not be seen.
  private(set) var consumers: Int?

  init(_ settings: BrokerSettings, publishesCommands: Bool) {
    self.settings = settings
    self.publishesCommands = publishesCommands
    for url in settings.urls {
      do throws(AMQPError) {
        let connection = try Connection(
          to: url, options: settings.connectionOptions(name: "\(settings.names.stack) doctor"))
        defer { connection.close() }
        findings += Self.welcome(connection.server, usesTLS: url.usesTLS)
        try check(connection, user: url.user, virtualHost: url.virtualHost)
      } catch {
        findings.append(Self.finding(of: error, settings.tls?.caFile, user: url.user, virtualHost: url.virtualHost))
      }
    }
  }

  private mutating func check(_ connection: Connection, user: String, virtualHost: String) throws(AMQPError) {
    let rights = RightsCheck(names: settings.names, user: user, virtualHost: virtualHost)
    var topology = TopologyCheck(names: settings.names, virtualHost: virtualHost)
    try topology.look(on: connection, rights)
    consumers = topology.consumers ?? consumers
    findings += topology.findings
    if topology.isThere(settings.names.eventBus) {
      let userID = settings.sendsUserID ? user : nil
      var denied: [String] = []
      for key in RightsCheck.eventKeys + (publishesCommands ? TopologyNames.commandKeys : []) {
        let refusal = try connection.refusalOfPublish(to: settings.names.eventBus, routingKey: key, userID: userID)
        switch RightsCheck.meaning(ofPublish: refusal) {
        case .allowed: continue
        case .denied: denied.append(key)
        case .blocked:
          findings.append(Self.blocked)
          return
        case .wrongUserID(let words): findings.append(rights.wrongUserID(words))
        }
      }
      findings.append(rights.publishing(denied: denied, publishesCommands: publishesCommands))
    }
    if topology.isThere(settings.names.commandQueue) {
      // Last: it may cost the connection.
      findings += rights.reading(try connection.refusalOfGet(from: settings.names.commandQueue))
    }
  }

  private static func welcome(_ server: ServerInfo, usesTLS: Bool) -> [Finding] {
    let safety = usesTLS ? "over TLS, its certificate verified" : "without TLS"
    let words = "\(server.product) \(server.version) at \(server.endpoint) lets us in, \(safety)"
    let version = server.version.split(separator: ".").compactMap { Int($0) }
    if server.product == "RabbitMQ", version.count > 1, (version[0], version[1]) < (3, 10) {
      return [.error(.broker, words + "; it is too old", "upgrade it to a supported version, 3.10 at least")]
    }
    return [.ok(.broker, words)]
  }

  private static var blocked: Finding {
    .error(
      .broker, "the broker takes no messages now, because its memory or disk runs out",
      "rabbitmqctl status names the alarm: free memory or disk there")
  }

  /// What an error means.
  static func finding(of error: AMQPError, _ caFile: String?, user: String, virtualHost: String) -> Finding {
    let broker = error.endpoint ?? "the broker"
    switch error.kind {
    case .unreachable, .timeout, .connectionLost:
      return .error(
        .broker, "\(broker) cannot be reached: \(error.text)",
        "start the broker, or set host and port right in \(Setting.amqpURL.environmentVariable)")
    case .refusedLogin:
      return .error(
        .broker, "\(broker) refuses the login: \(error.text)",
        "rabbitmqctl change_password \(shellWord(user)); if it is the virtual host: rabbitmqctl list_permissions -p"
          + " \(shellWord(virtualHost)), and ops/README.md says what it has to show")
    case .tls:
      return .error(
        .broker, "\(broker) gets no TLS connection: \(error.text)",
        "openssl s_client -connect HOST:PORT -verify_return_error -CAfile \(shellWord(caFile ?? "FILE")) says why;"
          + " the host has to be a DNS name of the certificate")
    default: return .error(.broker, error.description, "see what the broker says, and its log")
    }
  }
}
