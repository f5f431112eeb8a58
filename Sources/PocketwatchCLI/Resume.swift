import ArgumentParser
import Scheduling

struct Resume: SelectiveCommand {
  static let configuration = CommandConfiguration(
    abstract: "Resume a paused schedule, or all of a group or with a prefix.",
    discussion: """
      Publishes the command, waits for its outcome and prints it. Slots of the pause are skipped unless --misfire-policy \
      says otherwise; a single tick that fell due is sent, unless skip is asked for. \
      With --group or --prefix it asks before, and prints how many schedules matched. \
      Exit codes: 0 resumed, 1 rejected, 69 no outcome.
      """)

  static let event = EventName.resume
  static let outcome = EventName.resumed

  @OptionGroup var command: SelectiveOptions

  @Option(
    help: "For slots of the pause, this time only: skip, fireOnce or fireAll. [skip]",
    completion: .values(of: MisfirePolicy.self))
  var misfirePolicy: String?

  @Option(help: "The reason, included in the outcome.")
  var reason: String?

  func addFields(to detail: inout EventDetail) {
    detail.add("misfirePolicy", text: misfirePolicy)
    detail.add("reason", text: reason)
  }
}
