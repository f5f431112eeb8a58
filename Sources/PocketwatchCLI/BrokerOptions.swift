import ArgumentParser
import Foundation
import PocketwatchService

/// Options of every command that connects to the broker.
struct BrokerOptions: ParsableArguments {
  @Option(help: ArgumentHelp("A JSON file with settings; environment variables take precedence.", valueName: "file"))
  var config: String?

  @Option(help: ArgumentHelp("Stack name of the scheduler (POCKETWATCH_STACK).", valueName: "name"))
  var stack: String?

  @Option(help: ArgumentHelp("The topic exchange for events (POCKETWATCH_EVENT_BUS).", valueName: "exchange"))
  var eventBus: String?

  @Option(
    help: ArgumentHelp("PEM file of the trusted CAs for amqps (POCKETWATCH_AMQP_CA_FILE).", valueName: "file")
  )
  var caFile: String?

  /// Reads settings from these options and `more`, the environment, and the file.
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

/// Prints a configuration error and throws its exit code.
func orExit<Value>(_ body: () async throws -> Value) async throws -> Value {
  do {
    return try await body()
  } catch let error as ConfigurationError {
    throw failure(.configuration, "\(error)")
  } catch let error as ServiceFailure {
    throw failure(error.code, error.description)
  }
}

/// Prints an error to standard error and returns the exit code to throw.
func failure(_ code: ServiceFailure.Code, _ message: String) -> ExitCode {
  complain(message)
  return ExitCode(code.rawValue)
}
