import ArgumentParser
import Bytes
import Foundation
import PocketwatchService
import Recurrence
import Scheduling

struct Next: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Show the next slots of a cron expression.",
    discussion: """
      Each line has the slot in UTC and, with --timezone, the local time in that zone.

      With - as the expression, reads JSON lines from standard input, {"cron": …, "timezone": …, "from": …, "count": …} or \
      {"duration": …}, and prints one line for each: {"next": […]}, {"milliseconds": …} or {"error": …, "field": …}.
      """)

  @Argument(help: "A cron expression, quoted: '*/15 9-17 * * MON-FRI'; or - to read JSON lines.")
  var expression: String

  @OptionGroup var zone: ZoneOption

  @Option(help: "List slots after this instant, such as 2030-01-01T00:00:00Z. [now]")
  var from: String?

  @Option(help: "Number of slots.")
  var count = 5

  func validate() throws {
    guard SlotQuery.counts.contains(count) else { throw ValidationError("--count takes 1 to 10000") }
  }

  func run() throws {
    if expression == "-" { return try answerLines() }
    try orRefuse {
      let query = SlotQuery(cron: expression, timezone: zone.timezone, from: from, count: count)
      let rules = try zone.rules()
      let slots = try query.slots(in: rules)
      for slot in slots {
        try printLine(zone.timezone == nil ? slot.rfc3339 : "\(slot.rfc3339)  \(slot.rfc3339(in: rules))")
      }
      if slots.count < count { complain("no further slots") }
    }
  }

  private func answerLines() throws {
    let zones = ZoneDirectory()
    while let line = readLine() {
      if !line.utf8.allSatisfy({ $0 == UInt8(ascii: " ") }) { try printLine(SlotQuery.answer(line, zones: zones)) }
    }
  }
}

/// A request for the slots of a cron expression, or for the length of a duration.
struct SlotQuery: Decodable {
  static let counts = 1...10_000

  var cron: String?
  var timezone: String?
  var from: String?
  var count: Int?
  var duration: String?

  /// Answers a JSON line with a JSON line.
  static func answer(_ line: String, zones: ZoneDirectory) -> String {
    do {
      let query = try JSONDecoder().decode(SlotQuery.self, from: Data(line.utf8))
      if let duration = query.duration {
        return "{\"milliseconds\":\(try DurationExpression(duration).milliseconds)}"
      }
      let slots = try query.slots(in: zones.rules(named: query.timezone ?? ZoneRules.utc.name))
      return "{\"next\":[\(slots.map { jsonQuoted($0.rfc3339Seconds) }.joined(separator: ","))]}"
    } catch let error as ExpressionError {
      return "{\"error\":\(jsonQuoted(error.description)),\"field\":\(jsonQuoted(error.field))}"
    } catch {
      return "{\"error\":\"the line is not a JSON object with cron or duration as text\",\"field\":\"body\"}"
    }
  }

  /// At most `count` slots; fewer when the expression has no more.
  func slots(in zone: ZoneRules) throws(ExpressionError) -> [Instant] {
    guard let cron else { throw ExpressionError(field: "cron", reason: "cron or duration is missing") }
    return try CronExpression(cron).slots(after: start(), count: (count ?? 5).clamped(to: Self.counts), in: zone)
  }

  private func start() throws(ExpressionError) -> Instant {
    guard let from else { return SystemClock.now().wall }
    guard let instant = Instant(rfc3339: from) else {
      throw ExpressionError(field: "from", reason: "not an instant; the format is 2030-01-01T00:00:00Z")
    }
    return instant
  }
}

/// The time zone of an expression.
struct ZoneOption: ParsableArguments {
  @Option(help: "IANA time zone of the expression, such as Europe/Rome. [UTC]")
  var timezone: String?

  func rules() throws(ExpressionError) -> ZoneRules {
    guard let timezone else { return .utc }
    return try ZoneDirectory().rules(named: timezone)
  }
}

/// Prints the reason of an invalid expression, the same as in Schedule Rejected, and throws the exit code.
func orRefuse(_ body: () throws -> Void) throws {
  do {
    try body()
  } catch let error as ExpressionError {
    complain(error.description)
    throw ExitCode.rejected
  }
}

extension Instant {
  /// `2026-03-01T00:00:00Z`: slots of cron expressions are whole seconds.
  fileprivate var rfc3339Seconds: String { rfc3339.dropLast(5) + "Z" }
}

extension Int {
  fileprivate func clamped(to range: ClosedRange<Int>) -> Int {
    Swift.min(Swift.max(self, range.lowerBound), range.upperBound)
  }
}
