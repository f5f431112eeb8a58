import AMQP
import AdminHTTP
import ArgumentParser
import Foundation
import PocketwatchService

struct Doctor: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Find out what is wrong with the set-up, and how to mend it.",
    discussion: """
      Looks at settings, system, database, a running service, broker, rights, topology, clock and time zones, as the \
      service would find them: run it with the service's settings, as its user or as root. It changes nothing, and \
      disturbs no service that runs.

      Types, bindings and policies show over RabbitMQ's management only: name it with --management, such as \
      http://localhost:15672. Its user is that of the URL, else the service's; its password comes from \
      --management-password-file or \(SettingReader.managementPassword), else it is the service's.

      Exit codes: 0 all is well, 1 there are warnings, 2 something is wrong.
      """)

  @OptionGroup var broker: BrokerOptions

  @Option(help: ArgumentHelp("Path of the SQLite file (POCKETWATCH_DATABASE).", valueName: "file"))
  var database: String?

  @OptionGroup var management: ManagementOptions

  @Flag(help: "Print JSON, one finding a line.")
  var json = false

  func run() async throws {
    var options: [Setting: String] = [:]
    options[.database] = database
    let settings = await ConfigurationCheck { [options] in try broker.reader(with: options) }
    var worst = Finding.Level.ok
    for finding in try await findings(settings) {
      worst = max(worst, finding.level)
      printLine(json ? finding.json : finding.lines)
    }
    if worst > .ok { throw ExitCode(worst.exitCode) }
  }

  private func findings(_ settings: ConfigurationCheck) async throws -> [Finding] {
    let managementClient = try settings.broker.flatMap { try management.client(like: $0) }
    let database = settings.database.map { DatabaseCheck(path: $0) }
    let service = await ServiceCheck(settings.admin, database: database?.state)
    var findings = settings.findings + SystemCheck().findings + (database?.findings ?? []) + service.findings
    var clockOffset: Double?
    if let broker = settings.broker {
      let check = BrokerCheck(broker, publishesCommands: settings.admin?.allowsChanges ?? false)
      findings += check.findings
      if let consumers = check.consumers {
        let isServiceHere = database?.state == .held || service.isRunning
        findings.append(
          TopologyCheck.consuming(consumers, queue: broker.names.commandQueue, isServiceHere: isServiceHere))
      }
      if let managementClient {
        let virtualHost = broker.urls.first?.virtualHost ?? "/"
        let check = await ManagementCheck(managementClient, names: broker.names, virtualHost: virtualHost)
        findings += check.findings
        clockOffset = check.clockOffset
      }
    }
    return findings + ClockCheck.findings(SystemClock.synchronization, offset: clockOffset)
      + ZoneCheck.findings
  }
}

/// Where the broker's management is, and who asks it.
struct ManagementOptions: ParsableArguments {
  @Option(help: ArgumentHelp("Address of RabbitMQ's management, without a password.", valueName: "url"))
  var management: String?

  @Option(help: ArgumentHelp("A file with the password for it.", valueName: "file"))
  var managementPasswordFile: String?

  func validate() throws {
    guard let management else { return }
    guard let url = URLComponents(string: management), url.scheme == "http", url.host?.isEmpty == false,
      ["", "/"].contains(url.path)
    else {
      throw ValidationError(
        "--management takes http://host:port. For https, have ssh carry it: ssh -L 15672:localhost:15672 host"
      )
    }
    guard url.password == nil else {
      throw ValidationError(
        "--management must not hold the password, which others could see: use --management-password-file")
    }
  }

  /// Nil when it is not asked for.
  func client(like broker: BrokerSettings) throws -> HTTPClient? {
    guard let url = management.flatMap({ URLComponents(string: $0) }), let login = broker.urls.first else { return nil }
    var password = ProcessInfo.processInfo.environment[SettingReader.managementPassword] ?? login.password
    if let file = managementPasswordFile {
      guard let text = try? String(contentsOfFile: file, encoding: .utf8) else {
        throw failure(.configuration, "--management-password-file: the file \(file) cannot be read")
      }
      password = text.trimmingCharacters(in: .newlines)
    }
    let credentials = Data("\(url.user ?? login.user):\(password)".utf8).base64EncodedString()
    return HTTPClient(
      host: (url.host ?? "").trimmingCharacters(in: CharacterSet(charactersIn: "[]")), port: url.port ?? 15672,
      authorization: "Basic \(credentials)")
  }
}
