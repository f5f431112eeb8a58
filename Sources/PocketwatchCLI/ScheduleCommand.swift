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
    let answer = command.answer
    try await BusClient.connected(to: command.broker.broker(), answer) { client in
      try answer.show(client.send(Self.event, detail, outcome: Self.outcome))
    }
  }
}

struct CommandOptions: ParsableArguments {
  @OptionGroup var broker: BrokerOptions
  @OptionGroup var answer: AnswerOptions

  @Option(help: "Id of the schedule, 1 to 200 bytes.")
  var id: String
}
