import ArgumentParser
import EventBus
import Foundation
import PocketwatchService
import Recurrence
import Scheduling
import SQLiteStore

struct Inspect: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "List the schedules in a backup, or in the database of a stopped service.",
    discussion: "Read-only. The database of a running service is refused.")

  @Argument(help: "The SQLite file.")
  var file: String

  @Flag(help: "Print JSON, one schedule per line.")
  var json = false

  func run() throws {
    do {
      let store = try SQLiteStore.inspect(path: file, onUnreadable: { complain($0.description) })
      if !json { try printLine(Self.table.line(Self.heading)) }
      var last: ScheduleID?
      while true {
        let page = try store.page(after: last, limit: 500)
        let lines = try page.map { schedule in
          let history = json ? try store.history(of: schedule.id) : nil
          return history.map { ReceivedEvent.oneLine(schedule.json($0)) } ?? Self.table.line(Self.row(schedule))
        }
        try StandardOutput.write(lines.map { $0 + "\n" }.joined())
        guard let id = page.last?.id else { return }
        last = id
      }
    } catch let error as StoreError {
      complain(error.description)
      throw ExitCode(
        error.kind == .locked
          ? ServiceFailure.Code.databaseInUse.rawValue : ServiceFailure.Code.databaseUnusable.rawValue)
    }
  }

  private static let table = TextTable(widths: [6, 24, 8, 28])
  private static let heading = ["STATE", "NEXT", "TICKS", "TIMING", "ID"]

  private static func row(_ schedule: Schedule) -> [String] {
    [
      schedule.stateName, schedule.nextSlot?.rfc3339 ?? "-", String(schedule.counter),
      schedule.definition.timing.fieldText + (schedule.definition.timezone.map { " " + $0 } ?? ""),
      shownText(schedule.id.text),
    ]
  }
}

extension Timing {
  /// The timing field of the Start, such as `cron 0 9 * * *`.
  fileprivate var fieldText: String {
    switch self {
    case .cron(let expression): "cron \(expression.text)"
    case .every(let interval): "every \(interval.text)"
    case .at(let instant): "at \(instant.rfc3339)"
    case .duration(let delay): "duration \(delay.text)"
    }
  }
}
