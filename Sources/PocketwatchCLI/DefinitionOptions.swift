import ArgumentParser
import Scheduling

/// The fields of a definition, which a Start sets and an Update changes.
struct DefinitionOptions: ParsableArguments {
  @Option(help: "A cron expression of 5 fields, or 6 with seconds first.")
  var cron: String?

  @Option(help: "A fixed interval, such as '90s' or '1h 30m'.")
  var every: String?

  @Option(help: "One tick at this instant, such as 2030-01-01T00:00:00Z.")
  var at: String?

  @Option(help: "One tick after this long, such as '5m'.")
  var duration: String?

  @Option(help: "End after this many ticks.")
  var limit: Int64?

  @Option(help: "IANA time zone of the cron expression, such as Europe/Rome. [UTC]")
  var timezone: String?

  @Option(help: "No slot before this instant.")
  var startDate: String?

  @Option(help: "No slot after this instant.")
  var endDate: String?

  @Option(help: "Delay each tick by up to this much after its slot, to spread load.")
  var jitter: String?

  @Option(
    help: "For slots missed during an outage: fireOnce, fireAll or skip. [fireOnce]",
    completion: .values(of: MisfirePolicy.self))
  var misfirePolicy: String?

  @Option(help: "Do not send missed slots older than this. [none; 24h with fireAll]")
  var catchupWindow: String?

  @Option(help: "JSON value that each tick returns byte for byte.", transform: JSONText.init)
  var payload: JSONText?

  @Option(help: "Name of the schedules that belong together.")
  var group: String?

  @Option(name: .customLong("tag"), help: "A word to find the schedule by. Repeat the option for several.")
  var tags: [String] = []

  @Option(help: "What the schedule is for.")
  var description: String?

  @OptionGroup(title: "Target") var target: TargetOptions

  func addFields(to detail: inout EventDetail) {
    detail.add("cron", text: cron)
    detail.add("every", text: every)
    detail.add("at", text: at)
    detail.add("duration", text: duration)
    detail.add("limit", number: limit)
    detail.add("timezone", text: timezone)
    detail.add("startDate", text: startDate)
    detail.add("endDate", text: endDate)
    detail.add("jitter", text: jitter)
    detail.add("misfirePolicy", text: misfirePolicy)
    detail.add("catchupWindow", text: catchupWindow)
    detail.add("payload", json: payload)
    detail.add("group", text: group)
    detail.add("tags", texts: tags)
    detail.add("description", text: description)
    target.addFields(to: &detail)
  }
}

extension CompletionKind {
  /// Offers the values of an enum. They are not checked here: the service says what is wrong with any other.
  static func values<Choice>(of type: Choice.Type) -> Self where Choice: RawRepresentable<String> & CaseIterable {
    .list(type.allCases.map(\.rawValue))
  }
}
