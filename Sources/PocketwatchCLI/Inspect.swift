import ArgumentParser
import Bytes
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
      if !json { try printLine(Row.heading.line) }
      var last: ScheduleID?
      while true {
        let page = try store.page(after: last, limit: 500)
        let lines = try page.map { schedule in
          let history = json ? try store.history(of: schedule.id) : nil
          return history.map { ReceivedEvent.oneLine(schedule.json($0)) } ?? Row(schedule).line
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

  /// One line of the table.
  private struct Row {
    static let heading = Row(state: "STATE", next: "NEXT", ticks: "TICKS", timing: "TIMING", id: "ID")

    var state: String
    var next: String
    var ticks: String
    var timing: String
    var id: String

    init(state: String, next: String, ticks: String, timing: String, id: String) {
      (self.state, self.next, self.ticks, self.timing, self.id) = (state, next, ticks, timing, id)
    }

    init(_ schedule: Schedule) {
      state = schedule.nextTick == nil ? "ended" : "live"
      next = schedule.nextTick?.slot.rfc3339 ?? "-"
      ticks = String(schedule.counter)
      timing = schedule.definition.timing.fieldText + (schedule.definition.timezone.map { " " + $0 } ?? "")
      id =
        schedule.id.text.unicodeScalars.contains(where: \.needsEscape) ? jsonQuoted(schedule.id.text) : schedule.id.text
    }

    var line: String {
      [padded(state, 5), padded(next, 24), padded(ticks, 8), padded(timing, 28), id].joined(separator: "  ")
    }

    private func padded(_ text: String, _ width: Int) -> String {
      text + String(repeating: " ", count: max(0, width - text.count))
    }
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
