import ArgumentParser
import Scheduling

struct Show: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Show a schedule of a running service: definition, state, next and past ticks.",
    discussion: "Exit codes: 0 success, 1 no such schedule, 69 no reply.")

  @OptionGroup var broker: BrokerOptions
  @OptionGroup var answer: AnswerOptions

  @Argument(help: "Id of the schedule.")
  var id: String

  @Option(help: "Number of next slots, up to 100. [10]")
  var next: Int64?

  func run() async throws {
    try await BusClient.connected(to: broker.broker(), answer) { client in
      try client.acceptReplies()
      let described = try answer.accepted(client.ask(.describe, detail))
      try printLine(answer.json ? described.json : ScheduleDescription(described.detail).text)
    }
  }

  var detail: EventDetail {
    var detail = EventDetail()
    detail.add("id", text: id)
    detail.add("next", number: next)
    return detail
  }
}

/// What is known of a schedule, one item a line.
struct ScheduleDescription {
  private let fields: EventFields

  /// - Parameter fields: The Detail of a Schedule Described.
  init(_ fields: EventFields) { self.fields = fields }

  var text: String {
    let table = TextTable(widths: [15])
    return items.flatMap { label, lines in
      lines.enumerated().map { table.line([$0.offset == 0 ? label : "", $0.element]) }
    }.joined(separator: "\n")
  }

  /// Labels with the lines behind them.
  private var items: [(String, [String])] {
    let items: [(String, String?)] = [
      ("id", fields.text("id")), ("state", state), ("timing", fields.timing), ("limit", fields.text("limit")),
      ("start date", fields.text("startDate")), ("end date", fields.text("endDate")),
      ("jitter", fields.text("jitter")), ("misfire policy", fields.text("misfirePolicy")),
      ("catch-up window", fields.text("catchupWindow")), ("if exists", fields.text("ifExists")),
      ("group", fields.text("group")), ("tags", fields.list("tags")), ("description", fields.text("description")),
      ("target", target), ("payload", fields.payload), ("revision", fields.text("revision")),
      ("owner", fields.text("owner")),
      ("created", fields.text("createdDate")), ("ticks", totals), ("last tick", last),
    ]
    return items.compactMap { label, line in line.map { (label, [$0]) } }
      + [("next slots", fields.strings("next").map { $0.isEmpty ? ["none"] : $0.map(shownText) } ?? [])]
  }

  private var state: String? {
    let facts = [
      fields.text("state"), fields.text("pausedDate", label: "since "), fields.text("pausedUntil", label: "until "),
      fields.text("reason"),
    ]
    return facts.compactMap { $0 }.joined(separator: "  ")
  }

  private var target: String? {
    guard let target = fields.object("target") else { return nil }
    let facts = [
      target.text("exchange", label: "exchange "), target.text("routingKey", label: "key "), target.text("detailType"),
      target.text("source", label: "source "), target.text("body", label: "body "), target.text("contentType"),
      target.object("headers").map { "headers \(shownText($0.json))" },
      target.text("expiration", label: "expiration "), target.text("priority", label: "priority "),
    ]
    return facts.compactMap { $0 }.joined(separator: "  ")
  }

  private var totals: String? {
    guard let totals = fields.object("totals") else { return nil }
    let counts = ["missed", "duplicates", "nacked", "unroutable"].map { totals.count($0, label: "\($0) ") }
    return ([totals.text("sent", label: "sent ")] + counts).compactMap { $0 }.joined(separator: "  ")
  }

  private var last: String? {
    guard let last = fields.object("last") else { return nil }
    let facts = [
      last.text("scheduledTime", label: "slot "), last.text("sentDate", label: "sent "),
      last.text("lateness").map { "late by \($0) ms" }, last.text("confirmed").map { "confirmed in \($0) ms" },
    ]
    return facts.compactMap { $0 }.joined(separator: "  ")
  }
}
