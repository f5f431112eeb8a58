import ArgumentParser
import PocketwatchService
import Scheduling

struct Stop: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Stop a schedule: publish the command and wait for its outcome.",
    discussion: "Exit codes: 0 stopped, 1 no such schedule, 69 no outcome.")

  @OptionGroup var broker: BrokerOptions
  @OptionGroup var answer: AnswerOptions

  @Option(help: "Id of the schedule.")
  var id: String

  @Option(help: "The reason, included in the outcome.")
  var reason: String?

  func run() async throws {
    var detail = EventDetail()
    detail.add("id", text: id)
    detail.add("reason", text: reason)
    try await CommandSender(settings: broker.broker(), answer: answer).send(.stop, detail)
  }
}
