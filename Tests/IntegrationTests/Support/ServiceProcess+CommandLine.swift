import Testing

/// Commands of the program, with the settings of the service.
extension ServiceProcess {
  /// Runs a command to its end.
  func command(_ arguments: [String]) async throws -> (code: Int32, output: String, complaint: String) {
    try await Program.run(TestEnvironment.binary, arguments, environment: environment)
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
