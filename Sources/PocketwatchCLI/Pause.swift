import ArgumentParser
import Scheduling

struct Pause: SelectiveCommand {
  static let configuration = CommandConfiguration(
    abstract: "Pause a schedule, or all of a group or with a prefix: no ticks until they are resumed.",
    discussion: """
      Publishes the command, waits for its outcome and prints it. With --until or --for the pause ends by itself. \
      With --group or --prefix it asks before, and prints how many schedules matched. \
      Exit codes: 0 paused, 1 rejected, 69 no outcome.
      """)

  static let event = EventName.pause
  static let outcome = EventName.paused

  @OptionGroup var command: SelectiveOptions

  @Option(help: "Resume at this instant, such as 2030-01-01T00:00:00Z.")
  var until: String?

  @Option(name: .customLong("for"), help: ArgumentHelp("Resume after this long, such as '2h'.", valueName: "duration"))
  var length: String?

  @Option(help: "The reason, included in the outcome and shown with the schedule.")
  var reason: String?

  func addFields(to detail: inout EventDetail) {
    detail.add("until", text: until)
    detail.add("for", text: length)
    detail.add("reason", text: reason)
  }
}
