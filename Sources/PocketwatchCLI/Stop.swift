import ArgumentParser
import Scheduling

struct Stop: SelectiveCommand {
  static let configuration = CommandConfiguration(
    abstract: "Stop a schedule, or all of a group or with a prefix.",
    discussion: """
      Publishes the command, waits for its outcome and prints it. With --group or --prefix it asks before, and prints how \
      many schedules matched. Exit codes: 0 stopped, 1 rejected, such as no such schedule, 69 no outcome.
      """)

  static let event = EventName.stop
  static let outcome = EventName.stopped

  @OptionGroup var command: SelectiveOptions

  @Option(help: "The reason, included in the outcome.")
  var reason: String?

  func addFields(to detail: inout EventDetail) {
    detail.add("reason", text: reason)
  }
}
