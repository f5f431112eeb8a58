import ArgumentParser

/// How long to wait for the answer of the service, and how to print it.
struct AnswerOptions: ParsableArguments {
  @Option(help: ArgumentHelp("Seconds to wait for the service. [10; for several schedules 600]", valueName: "seconds"))
  var timeout: Double?

  @Flag(help: "Print JSON.")
  var json = false

  func validate() throws {
    if let timeout, !(timeout > 0 && timeout <= 86_400) {
      throw ValidationError("--timeout takes 0 to 86400 seconds")
    }
  }

  /// Prints an event; throws an exit code if it is a rejection.
  func show(_ event: ReceivedEvent) throws {
    try printLine(json ? event.json : event.line(coloured: false))
    if event.isRejection { throw ExitCode.rejected }
  }

  /// Returns an event that is not a rejection, which is printed instead.
  func accepted(_ event: ReceivedEvent) throws -> ReceivedEvent {
    if event.isRejection { try show(event) }
    return event
  }
}
