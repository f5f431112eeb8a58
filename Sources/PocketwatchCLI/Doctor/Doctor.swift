import AMQP
import AdminHTTP
import ArgumentParser
import Foundation
import PocketwatchService

struct Doctor: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Find out what is wrong with the set-up, and how to fix it.",
    discussion: """
      Looks at settings, system, database, a running service, broker, rights, topology, clock and time zones, as the \
      service would find them: run it with the service's settings, as its user or as root. It changes nothing, and \
      disturbs no service that runs.

      Types, bindings and policies show over RabbitMQ's management only: name it with --management, such as \
      http://localhost:15672. Its user is that of the URL, else the service's; its password comes from \
      --management-password-file or \(SettingReader.managementPassword), else it is the service's. It is sent \
      unencrypted: to another machine only from --management-password-file. For https, let ssh carry it.

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
      try printLine(json ? finding.json : finding.lines)
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
        let management = await ManagementCheck(
          managementClient, names: broker.names, virtualHost: virtualHost, messages: check.messages)
        findings += management.findings
        clockOffset = management.clockOffset
      }
    }
    return findings + ClockCheck.findings(SystemClock.synchronization, offset: clockOffset)
      + ZoneCheck.findings
  }
}
