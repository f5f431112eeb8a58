import ArgumentParser
import PocketwatchService
import Scheduling

/// A command on one schedule: publishes its event, waits for the outcome and prints it.
protocol ScheduleCommand: AsyncParsableCommand {
  static var event: EventName { get }
  /// The outcome unless it is rejected.
  static var outcome: EventName { get }
  var command: CommandOptions { get }

  /// Adds what it says besides the id.
  func addFields(to detail: inout EventDetail)
}

extension ScheduleCommand {
  var detail: EventDetail {
    var detail = EventDetail()
    detail.add("id", text: command.id)
    addFields(to: &detail)
    return detail
  }

  func run() async throws {
    let sender = try await CommandSender(settings: command.broker.broker(), answer: command.answer)
    try sender.send(Self.event, detail, outcome: Self.outcome)
  }
}

struct CommandOptions: ParsableArguments {
  @OptionGroup var broker: BrokerOptions
  @OptionGroup var answer: AnswerOptions

  @Option(help: "Id of the schedule, 1 to 200 bytes.")
  var id: String
}

/// How long to wait for the outcome, and how to print it.
struct AnswerOptions: ParsableArguments {
  @Option(help: ArgumentHelp("Seconds to wait for the outcome.", valueName: "seconds"))
  var timeout: Double = 10

  @Flag(help: "Print the outcome as JSON.")
  var json = false

  func validate() throws {
    guard timeout > 0, timeout <= 86_400 else { throw ValidationError("--timeout takes 0 to 86400 seconds") }
  }
}
