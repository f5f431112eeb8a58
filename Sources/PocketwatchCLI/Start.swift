import ArgumentParser
import Bytes
import EventBus
import Foundation
import PocketwatchService
import Scheduling

struct Start: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Start a schedule: publish the command and wait for its outcome.",
    discussion: """
      Exactly one of --cron, --every, --at and --duration. Prints the outcome. Exit codes: 0 started, 1 rejected, 69 no \
      outcome.
      """)

  @OptionGroup var broker: BrokerOptions
  @OptionGroup var answer: AnswerOptions

  @Option(help: "Id of the schedule, 1 to 200 bytes. A live schedule with this id is replaced.")
  var id: String

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

  @Option(help: "For slots missed during an outage: fireOnce, fireAll or skip. [fireOnce]")
  var misfirePolicy: String?

  @Option(help: "Do not send missed slots older than this. [none; 24h with fireAll]")
  var catchupWindow: String?

  @Option(help: "If the id is live: replace, replaceIfChanged, keep or reject. [replace]")
  var ifExists: String?

  @Option(help: "JSON value that each tick returns byte for byte.")
  var payload: String?

  /// Text after the value would become fields of the command.
  func validate() throws {
    guard let payload else { return }
    do throws(JSONError) {
      var reader = try JSONReader(Array(payload.utf8)[...])
      _ = try reader.readValue(uniqueKeys: false)
      try reader.readEnd()
    } catch {
      throw ValidationError("--payload takes one JSON value: \(error)")
    }
  }

  func run() async throws {
    var detail = EventDetail()
    detail.add("id", text: id)
    detail.add("cron", text: cron)
    detail.add("every", text: every)
    detail.add("at", text: at)
    detail.add("duration", text: duration)
    if let limit { detail.add("limit", json: String(limit)) }
    detail.add("timezone", text: timezone)
    detail.add("startDate", text: startDate)
    detail.add("endDate", text: endDate)
    detail.add("jitter", text: jitter)
    detail.add("misfirePolicy", text: misfirePolicy)
    detail.add("catchupWindow", text: catchupWindow)
    detail.add("ifExists", text: ifExists)
    if let payload { detail.add("payload", json: payload) }
    try await CommandSender(settings: broker.broker(), answer: answer).send(.start, detail)
  }
}

/// How long to wait for the outcome, and how to print it.
struct AnswerOptions: ParsableArguments {
  @Option(help: ArgumentHelp("Seconds to wait for the outcome.", valueName: "seconds"))
  var timeout: Double = 10

  @Flag(help: "Print the outcome as JSON.")
  var json = false

  func validate() throws {
    guard timeout > 0, timeout <= 86_400 else { throw ValidationError("--timeout takes 0 to 86400 seconds") }
  }
}

/// Builds the JSON members of an event's Detail, in order.
struct EventDetail {
  private var members: [String] = []

  /// Adds a string unless it is nil.
  mutating func add(_ name: String, text: String?) {
    if let text { add(name, json: jsonQuoted(text)) }
  }

  /// Adds a JSON value.
  mutating func add(_ name: String, json: String) {
    members.append("\(jsonQuoted(name)):\(json)")
  }

  /// The event in the format of AWS PutEvents.
  func event(_ name: EventName) -> String {
    "{\"Source\":\"pocketwatch-cli\",\"DetailType\":\(jsonQuoted(name.rawValue)),\"Detail\":{\(members.joined(separator: ","))}}"
  }
}
