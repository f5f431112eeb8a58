import ArgumentParser
import Foundation
import PocketwatchService

/// The options that every command with a broker has.
struct BrokerOptions: ParsableArguments {
  @Option(help: ArgumentHelp("A JSON file with settings; the environment wins over it.", valueName: "file"))
  var config: String?

  @Option(help: ArgumentHelp("Name of the scheduler (POCKETWATCH_STACK).", valueName: "name"))
  var stack: String?

  @Option(help: ArgumentHelp("The topic exchange of all events (POCKETWATCH_EVENT_BUS).", valueName: "exchange"))
  var eventBus: String?

  @Option(
    help: ArgumentHelp("PEM file of the authorities to trust with amqps (POCKETWATCH_AMQP_CA_FILE).", valueName: "file")
  )
  var caFile: String?

  /// Where all settings come from: these options and others, the environment, the file.
  func reader(with more: [Setting: String] = [:]) throws -> SettingReader {
    var options = more
    options[.stack] = stack
    options[.eventBus] = eventBus
    options[.amqpCAFile] = caFile
    return try SettingReader(
      environment: ProcessInfo.processInfo.environment, file: config, options: options)
  }

  func broker() async throws -> BrokerSettings {
    try await orExit { try await BrokerSettings.read(from: reader()) }
  }
}

/// Turns a bad configuration into its message and exit code.
func orExit<Value>(_ body: () async throws -> Value) async throws -> Value {
  do {
    return try await body()
  } catch let error as ConfigurationError {
    throw failure(.configuration, "\(error)")
  } catch let error as ServiceFailure {
    throw failure(error.code, error.description)
  }
}

/// Says on standard error why the command ends, and returns what ends it with this code.
func failure(_ code: ServiceFailure.Code, _ message: String) -> ExitCode {
  complain(message)
  return ExitCode(code.rawValue)
}
