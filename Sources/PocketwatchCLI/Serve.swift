import ArgumentParser
import Foundation
import Logging
import PocketwatchService
import ServiceLifecycle
import UnixSignals

struct Serve: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Run the scheduler until SIGTERM or Ctrl-C.",
    discussion: """
      Settings, each with its key in the --config file, its meaning and [its default]. Environment variables take \
      precedence over the file, options over both.

      \(Setting.allCases.map(\.helpEntry).joined(separator: "\n"))

      Exit codes: 0 stopped, 3 database in use, 4 command queue in use, 5 database damaged, foreign or newer, 6 disk \
      failure, 7 database moved or replaced, 8 database cannot be opened now, 71 system limit too low, 78 invalid setting.
      """)

  @OptionGroup var broker: BrokerOptions

  @Option(help: ArgumentHelp("Path of the SQLite file (POCKETWATCH_DATABASE).", valueName: "file"))
  var database: String?

  @Option(help: ArgumentHelp("\(Setting.logLevel.summary) (POCKETWATCH_LOG_LEVEL).", valueName: "level"))
  var logLevel: String?

  @Option(help: ArgumentHelp("\(Setting.logFormat.summary) (POCKETWATCH_LOG_FORMAT).", valueName: "format"))
  var logFormat: String?

  @Flag(
    help:
      "Declare missing exchanges and queues, for development. Policies are not declared; import the definitions for those."
  )
  var declare = false

  func run() async throws {
    signal(SIGPIPE, SIG_IGN)  // a closed log pipe must not end the service
    var log = fallbackLogSettings
    defer { LogWriter.standardError.flush(within: Self.lastLinesLimit) }
    do {
      try SystemLimits.check()
      let reader = try broker.reader(with: options)
      log = try await LogSettings.read(from: reader)
      let configuration = try await Configuration.read(from: reader, declaresTopology: declare)
      try await run(configuration, makeLogger(log))
    } catch let error as ConfigurationError {
      throw end(.configuration, "\(error)", makeLogger(log))
    } catch let error as ServiceFailure {
      throw end(error.code, error.description, makeLogger(log))
    }
  }

  private func run(_ configuration: Configuration, _ logger: Logger) async throws {
    LoggingSystem.bootstrap { _ in logger.handler }  // libraries must not block on a slow log reader either
    if declare {
      logger.notice(
        "declaring missing exchanges and queues; policies are not declared, import the definitions for those")
    }
    let pages = try configuration.admin.map {
      try PagesService(settings: $0, configuration: configuration, logger: logger)
    }
    let scheduler = SchedulerService(
      configuration: configuration, environment: ProcessInfo.processInfo.environment, watch: pages?.watch,
      logger: logger)
    // Stopped in reverse order.
    var services: [ServiceGroupConfiguration.ServiceConfiguration] = [
      .init(service: scheduler, successTerminationBehavior: .gracefullyShutdownGroup)
    ]
    if let pages { services.append(.init(service: pages, failureTerminationBehavior: .gracefullyShutdownGroup)) }
    let group = ServiceGroup(
      configuration: ServiceGroupConfiguration(
        services: services, gracefulShutdownSignals: [.sigterm, .sigint], logger: quiet(logger)))
    try await group.run()
  }

  /// How long the exit waits for the log's reader.
  private static let lastLinesLimit = Duration.seconds(1)

  /// Logs why the service ends; returns the exit code to throw.
  private func end(_ code: ServiceFailure.Code, _ message: String, _ logger: Logger) -> ExitCode {
    logger.critical("\(message)", metadata: ["exitCode": "\(code.rawValue)"])
    return ExitCode(code.rawValue)
  }

  /// The log format until the settings are read, so that an error in them has the requested format.
  private var fallbackLogSettings: LogSettings {
    let text = logFormat ?? ProcessInfo.processInfo.environment[Setting.logFormat.environmentVariable] ?? ""
    return LogSettings(format: LogSettings.Format(rawValue: text.lowercased()) ?? .auto)
  }

  private var options: [Setting: String] {
    var options: [Setting: String] = [:]
    options[.database] = database
    options[.logLevel] = logLevel
    options[.logFormat] = logFormat
    return options
  }

  private func makeLogger(_ settings: LogSettings) -> Logger {
    Logger(label: "pocketwatch") { _ in
      LineLogHandler(settings: settings, isTerminal: isatty(STDERR_FILENO) == 1)
    }
  }

  /// ServiceLifecycle's own log entries mean nothing to a user.
  private func quiet(_ logger: Logger) -> Logger {
    var logger = logger
    logger.logLevel = .critical
    return logger
  }
}

extension Setting {
  /// Name and default on one line, the meaning below, wrapped here because ArgumentParser does not indent.
  fileprivate var helpEntry: String {
    var lines = [""]
    for word in summary.split(separator: " ") {
      if lines[lines.count - 1].count + word.count > 70 { lines.append("") }
      lines[lines.count - 1] += " " + word
    }
    return (["  \(environmentVariable) (\(key)) [\(defaultText)]"] + lines.map { "     " + $0 }).joined(separator: "\n")
  }
}
