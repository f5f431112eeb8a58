import ArgumentParser
import Scheduling
import Testing

@testable import PocketwatchCLI

@Suite("list")
struct ScheduleListTests {
  /// The Detail of a Schedule Listed.
  private static func page(_ schedules: [[String: Any]], next: String? = nil) -> EventFields {
    var values: [String: Any] = ["schedules": schedules]
    values["next"] = next
    return EventFields(values)
  }

  @Test("asks for pages until the last, also if some are empty")
  func pages() throws {
    let command = try List.parse(["--group", "g", "--prefix", "p", "--tag", "t", "--state", "paused"])
    var answers = [
      Self.page([["id": "a"], ["id": "b"]], next: "1"), Self.page([], next: "2"), Self.page([["id": "c"]]),
    ]
    var questions: [String] = []
    var ids: [String] = []
    try command.forEachPage { detail in
      questions.append(detail.event(.list))
      return answers.removeFirst()
    } _: {
      ids += $0.compactMap { $0.string("id") }
    }
    #expect(ids == ["a", "b", "c"])
    let filter = #""group":"g","prefix":"p","tag":"t","state":"paused","limit":1000"#
    let ends = ["", #","next":"1""#, #","next":"2""#].map { #""Detail":{\#(filter)\#($0)}}"# }
    #expect(questions.count == ends.count && zip(questions, ends).allSatisfy { $0.hasSuffix($1) }, "\(questions)")
  }

  @Test("--limit is of all pages together")
  func limit() throws {
    let command = try List.parse(["--limit", "3"])
    var answers = [
      Self.page([["id": "a"], ["id": "b"]], next: "1"), Self.page([["id": "c"]], next: "2"),
    ]
    var limits: [String] = []
    try command.forEachPage { detail in
      limits.append(try #require(detail.event(.list).firstMatch(of: /"limit":(\d+)/).map { String($0.output.1) }))
      return answers.removeFirst()
    } _: { _ in
    }
    #expect(limits == ["3", "1"] && answers.isEmpty)
    #expect(throws: (any Error).self) { try List.parse(["--limit", "0"]) }
  }

  @Test("a table has one heading, and columns as wide as what is in them")
  func table() {
    var table = ScheduleTable()
    #expect(table.lines([]) == [])
    let long = String(repeating: "x", count: 60)
    let first = table.lines([
      EventFields(["id": "report", "state": "active", "every": "1h", "counter": 3]),
      EventFields(["id": "a\u{1b}b", "state": "paused", "cron": "0 9 * * *", "timezone": "Europe/Rome", "group": "g"]),
    ])
    #expect(
      first == [
        "ID          STATE   NEXT  TIMING                      GROUP  TICKS",
        "report      active  -     every 1h                    -      3",
        #""a\u001bb"  paused  -     cron 0 9 * * * Europe/Rome  g      -"#,
      ])
    #expect(
      table.lines([EventFields(["id": long, "state": "ended", "at": "never", "counter": 1])]) == [
        "\(long)  ended   -     at never                    -      1"
      ])
  }
}
