import AMQP
import AdminHTTP
import ArgumentParser
import Foundation
import PocketwatchService

struct Doctor: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Diagnose the set-up and print how to fix it.",
    discussion: """
      Checks settings, system limits, database, running service, broker, rights, topology, clock and time zones as the \
      service would see them: run it with the service's settings, as its user or as root. It changes nothing and does \
      not disturb a running service.

      Types, bindings and policies are visible only through RabbitMQ's management API: pass its address with \
      --management, such as http://localhost:15672. The user is that of the URL, or else the service's; the password \
      comes from --management-password-file or \(SettingReader.managementPassword), or else it is the service's. Over \
      http the password is sent unencrypted, and to another machine only from --management-password-file. Over https \
      the certificate is verified, with the CAs of --ca-file or those of the system.

      Exit codes: 0 no findings, 1 warnings, 2 errors.
      """)

  @OptionGroup var broker: BrokerOptions

  @Option(help: ArgumentHelp("Path of the SQLite file (POCKETWATCH_DATABASE).", valueName: "file"))
  var database: String?

  @OptionGroup var management: ManagementOptions

  @Flag(help: "Print JSON, one finding per line.")
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
    let managementAPI = try settings.broker.flatMap { try management.endpoint(like: $0) }
    let database = settings.database.map { DatabaseCheck(path: $0) }
    let service = await ServiceCheck(settings.admin, database: database?.state)
    var findings = settings.findings + SystemCheck().findings + (database?.findings ?? []) + service.findings
    var clockOffset: Double?
    if let broker = settings.broker {
      let check = BrokerCheck(
        broker, publishesCommands: settings.admin?.allowsChanges ?? false, targets: settings.targets)
      findings += check.findings
      if let consumers = check.consumers {
        let isServiceHere = database?.state == .held || service.isRunning
        findings.append(
          TopologyCheck.consuming(consumers, queue: broker.names.commandQueue, isServiceHere: isServiceHere))
      }
      if let managementAPI {
        let virtualHost = broker.urls.first?.virtualHost ?? "/"
        let management = await ManagementCheck(
          managementAPI, names: broker.names, virtualHost: virtualHost, messages: check.messages)
        findings += management.findings
        clockOffset = management.clockOffset
      }
    }
    return findings + ClockCheck.findings(SystemClock.synchronization, offset: clockOffset)
      + ZoneCheck.findings
  }
}
