import ArgumentParser
import Scheduling

struct List: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "List the schedules of a running service.",
    discussion: """
      All of them, or those that match every option given. With --json, one schedule per line. \
      Exit codes: 0 success, 1 rejected, 69 no reply.
      """)

  @OptionGroup var broker: BrokerOptions
  @OptionGroup var answer: AnswerOptions

  @Option(help: "Only schedules of this group.")
  var group: String?

  @Option(help: "Only schedules whose id begins with this.")
  var prefix: String?

  @Option(help: "Only schedules with this tag.")
  var tag: String?

  @Option(
    help: "Only schedules in this state: active, paused or ended.",
    completion: .values(of: Schedule.PublicState.self))
  var state: String?

  @Option(help: "At most this many. [all]")
  var limit: Int?

  func validate() throws {
    if let limit, limit < 1 { throw ValidationError("--limit takes 1 or more") }
  }

  func run() async throws {
    try await BusClient.connected(to: broker.broker(), answer) { client in
      try client.acceptReplies()
      var table = ScheduleTable()
      try forEachPage { detail in
        try answer.accepted(client.ask(.list, detail)).detail
      } _: { schedules in
        let lines = answer.json ? schedules.map(\.json) : table.lines(schedules)
        try StandardOutput.write(lines.map { $0 + "\n" }.joined())
      }
    }
  }

  /// Asks for one page after another, until the last or until there are `limit` schedules.
  ///
  /// - Parameters:
  ///   - reply: Returns the Detail of the reply to a question.
  ///   - body: Takes the schedules of a page, which may be none.
  func forEachPage(
    reply: (EventDetail) throws -> EventFields, _ body: ([EventFields]) throws -> Void
  ) throws {
    var remaining = limit ?? .max
    var next: String?
    repeat {
      let page = try reply(detail(upTo: remaining, after: next))
      let schedules = page.objects("schedules")
      try body(schedules)
      remaining -= schedules.count
      next = page.string("next")
    } while next != nil && remaining > 0
  }

  private func detail(upTo count: Int, after next: String?) -> EventDetail {
    var detail = EventDetail()
    detail.add("group", text: group)
    detail.add("prefix", text: prefix)
    detail.add("tag", text: tag)
    detail.add("state", text: state)
    detail.add("limit", number: Int64(min(count, Question.List.mostSchedules)))
    detail.add("next", text: next)
    return detail
  }
}

/// The schedules of a list, under a heading.
struct ScheduleTable {
  private var table = TextTable(widths: Self.heading.map(\.count))
  private var hasHeading = false

  private static let heading = ["ID", "STATE", "NEXT", "TIMING", "GROUP", "TICKS"]

  /// The lines of a page, whose columns are at least as wide as those of the pages before.
  mutating func lines(_ schedules: [EventFields]) -> [String] {
    guard !schedules.isEmpty else { return [] }
    let rows = schedules.map { schedule in
      [
        schedule.text("id") ?? "-", schedule.text("state") ?? "-", schedule.text("nextTickDate") ?? "-",
        schedule.timing ?? "-", schedule.text("group") ?? "-", schedule.text("counter") ?? "-",
      ]
    }
    table.fit(rows)
    defer { hasHeading = true }
    return ((hasHeading ? [] : [Self.heading]) + rows).map(table.line)
  }
}
