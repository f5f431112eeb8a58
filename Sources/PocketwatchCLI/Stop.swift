import ArgumentParser
import PocketwatchService

struct Stop: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Stop a schedule: publish the event and wait for the answer.",
    discussion: "Exit code 0 when the schedule was stopped, 1 when there was none, 69 when no answer came.")

  @OptionGroup var broker: BrokerOptions
  @OptionGroup var answer: AnswerOptions

  @Option(help: "Name of the schedule.")
  var id: String

  @Option(help: "Why; part of the answer.")
  var reason: String?

  func run() async throws {
    var detail = EventDetail()
    detail.add("id", text: id)
    detail.add("reason", text: reason)
    try await CommandSender(settings: broker.broker(), answer: answer).send("Schedule Stop", detail)
  }
}
