import Testing

/// Commands of the program, with the settings of the service.
extension ServiceProcess {
  /// Those that wait for an answer of the service.
  private static let asking: Set<String> = ["start", "stop", "pause", "resume", "trigger", "update", "show", "list"]

  /// Runs a command to its end. By default it waits for the service nearly as long as the test does for the command.
  func command(_ arguments: [String]) async throws -> (code: Int32, output: String, complaint: String) {
    let isPatient = Self.asking.contains(arguments[0]) && !arguments.contains("--timeout")
    return try await Program.run(
      TestEnvironment.binary, arguments + (isPatient ? ["--timeout", "50"] : []), environment: environment)
  }

  /// A `pocketwatch watch` that is receiving: rejections of w are caused until it has printed one.
  func watcher(_ arguments: [String], _ bus: ServiceBus) async throws -> Program {
    let watcher = try Program(TestEnvironment.binary, ["watch"] + arguments, environment: environment)
    for _ in 1...100 {
      try await bus.stop("w")
      if (try? await watcher.output.next("a rejection", within: .milliseconds(300))) != nil { return watcher }
    }
    throw Inflow<String>.Missing(description: "the watcher saw nothing: \(watcher.complaints.all)")
  }
}
