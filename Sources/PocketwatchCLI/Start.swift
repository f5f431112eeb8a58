import ArgumentParser
import Scheduling

struct Start: ScheduleCommand {
  static let configuration = CommandConfiguration(
    abstract: "Start a schedule: publish the command and wait for its outcome.",
    discussion: """
      Exactly one of --cron, --every, --at and --duration. A live schedule with the id is replaced, unless --if-exists \
      says otherwise. Prints the outcome. Exit codes: 0 started, 1 rejected, 69 no outcome.
      """)

  static let event = EventName.start
  static let outcome = EventName.started

  @OptionGroup var command: CommandOptions
  @OptionGroup var definition: DefinitionOptions

  @Option(
    help: "If the id is live: replace, replaceIfChanged, keep or reject. [replace]",
    completion: .values(of: IfExists.self))
  var ifExists: String?

  @Flag(
    inversion: .prefixedNo,
    help: "Whether the schedule begins paused. [no; one that is replaced stays as it is]")
  var paused: Bool?

  func addFields(to detail: inout EventDetail) {
    definition.addFields(to: &detail)
    detail.add("ifExists", text: ifExists)
    detail.add("paused", flag: paused)
  }
}
