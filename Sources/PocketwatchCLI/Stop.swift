import ArgumentParser
import Scheduling

struct Stop: ScheduleCommand {
  static let configuration = CommandConfiguration(
    abstract: "Stop a schedule: publish the command and wait for its outcome.",
    discussion: "Exit codes: 0 stopped, 1 rejected, such as no such schedule, 69 no outcome.")

  static let event = EventName.stop
  static let outcome = EventName.stopped

  @OptionGroup var command: CommandOptions

  @Option(help: "The reason, included in the outcome.")
  var reason: String?

  func addFields(to detail: inout EventDetail) {
    detail.add("reason", text: reason)
  }
}
