import ArgumentParser
import Scheduling

struct Update: ScheduleCommand {
  static let configuration = CommandConfiguration(
    abstract: "Change a live schedule; its counter goes on.",
    discussion: """
      Publishes the command, waits for its outcome and prints it. What is not named stays as it is; one of --cron, \
      --every, --at and --duration replaces whichever there was, and --tag all tags. \
      Exit codes: 0 updated, 1 rejected, 69 no outcome.
      """)

  static let event = EventName.update
  static let outcome = EventName.updated

  @OptionGroup var command: CommandOptions
  @OptionGroup var definition: DefinitionOptions

  @Option(
    help: ArgumentHelp(
      "Drop this field: \(Self.removable.joined(separator: ", ")). Repeat the option for several.", valueName: "field"),
    completion: .list(Self.removable))
  var remove: [String] = []

  @Option(help: ArgumentHelp("Only if the schedule still has this revision.", valueName: "revision"))
  var ifRevision: Int64?

  private static let removable = DefinitionChange.Removable.allCases.map(\.rawValue)

  func addFields(to detail: inout EventDetail) {
    definition.addFields(to: &detail)
    detail.add("remove", texts: remove)
    detail.add("ifRevision", number: ifRevision)
  }
}
