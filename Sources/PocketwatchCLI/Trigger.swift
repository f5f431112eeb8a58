import ArgumentParser
import Scheduling

struct Trigger: ScheduleCommand {
  static let configuration = CommandConfiguration(
    abstract: "Have a schedule tick now, besides its slots.",
    discussion: """
      Publishes the command, waits for its outcome and prints it. The tick does not count, moves no slot, and is sent \
      also while the schedule is paused. Exit codes: 0 triggered, 1 rejected, 69 no outcome.
      """)

  static let event = EventName.trigger
  static let outcome = EventName.triggered

  @OptionGroup var command: CommandOptions

  @Option(help: "JSON value that this tick returns instead of the schedule's own.", transform: JSONText.init)
  var payload: JSONText?

  func addFields(to detail: inout EventDetail) {
    detail.add("payload", json: payload)
  }
}
