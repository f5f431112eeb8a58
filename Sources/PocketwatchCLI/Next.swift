import ArgumentParser
import Foundation
import PocketwatchService
import Recurrence
import Scheduling

struct Next: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Show the next slots of a cron expression.",
    discussion: "Each line has the slot in UTC and, with --timezone, the wall clock of that zone.")

  @Argument(help: "A cron expression, quoted: '*/15 9-17 * * MON-FRI'.")
  var expression: String

  @Option(help: "IANA time zone in which the expression is read, such as Europe/Rome. [UTC]")
  var timezone: String?

  @Option(help: "The slots after this instant, such as 2030-01-01T00:00:00Z. [now]")
  var from: String?

  @Option(help: "How many.")
  var count = 5

  func validate() throws {
    guard (1...10_000).contains(count) else { throw ValidationError("--count takes 1 to 10000") }
  }

  func run() throws {
    let expression = try parsed(expression)
    let zone = try zone()
    var slot = try start()
    for _ in 0..<count {
      guard let next = expression.next(after: slot, in: zone) else {
        complain("no slot after that")
        break
      }
      print(timezone == nil ? next.rfc3339 : "\(next.rfc3339)  \(zone.wallClock(at: next))")
      slot = next
    }
  }

  private func parsed(_ text: String) throws -> CronExpression {
    do {
      return try CronExpression(text)
    } catch {
      throw ValidationError("\(error)")
    }
  }

  private func zone() throws -> ZoneRules {
    guard let timezone else { return .utc }
    do {
      return try ZoneDirectory().rules(named: timezone)
    } catch {
      throw ValidationError("--timezone: \(error)")
    }
  }

  private func start() throws -> Instant {
    guard let from else { return SystemClock.now().wall }
    guard let instant = Instant(rfc3339: from) else {
      throw ValidationError("--from: \(from) is no instant; write it like 2030-01-01T00:00:00Z")
    }
    return instant
  }
}

extension ZoneRules {
  /// The wall clock with its offset, as `2026-03-29T03:30:00+02:00`.
  fileprivate func wallClock(at instant: Instant) -> String {
    let offset = offsetSeconds(at: instant)
    let wall = instant.advanced(byMilliseconds: Int64(offset) * 1000).rfc3339.dropLast(5)
    let minutes = abs(offset) / 60
    let hour = String(minutes / 60 + 100).dropFirst()
    let minute = String(minutes % 60 + 100).dropFirst()
    return "\(wall)\(offset < 0 ? "-" : "+")\(hour):\(minute)"
  }
}
