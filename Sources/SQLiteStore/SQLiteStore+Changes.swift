import Foundation
import GRDB
import Recurrence
package import Scheduling

extension SQLiteStore {
  package func apply(_ changes: [Change]) throws(StoreError) {
    try write { database in
      for change in changes {
        switch change {
        case .start(let schedule):
          try database.start(schedule)
        case .proceed(let generation, let slot, let state, let counter):
          try database.proceed(generation: generation, from: slot, to: state, counter: counter)
        case .announced(let generation):
          try database.run(
            "UPDATE schedule SET owesStopped = 0, payload = NULL WHERE generation = ? AND endedAt IS NOT NULL",
            [generation])
        case .remember(let command):
          try database.remember(command)
        case .markInDoubt(let through):
          try database.run("UPDATE recollection SET inDoubtThrough = ?", [through.milliseconds])
        }
      }
    }
  }
}

extension Database {
  /// Runs a statement that is kept prepared.
  func run(_ sql: String, _ arguments: StatementArguments) throws {
    try cachedStatement(sql: sql).execute(arguments: arguments)
  }

  fileprivate func start(_ schedule: Schedule) throws {
    try run(
      "UPDATE recollection SET lastGeneration = ? WHERE lastGeneration < ?",
      [schedule.generation, schedule.generation])
    guard changesCount == 1 else {
      throw StoreError(.other, "Generation \(schedule.generation) is not above the last one given.")
    }
    try run("DELETE FROM schedule WHERE id = ?", [Data(schedule.id.bytes)])
    try run(ScheduleColumn.insertion, schedule.statementArguments)
  }

  /// Only live rows have a slot, so that one comparison tells both.
  fileprivate func proceed(generation: Int64, from slot: Instant, to state: Schedule.State, counter: Int64) throws {
    switch state {
    case .live(let pending):
      try run(
        "UPDATE schedule SET counter = ?, slot = ?, due = ?, missed = ?, since = ? WHERE generation = ? AND slot = ?",
        [
          counter, pending.slot.milliseconds, pending.due.milliseconds, pending.missed, pending.since?.milliseconds,
          generation, slot.milliseconds,
        ])
    case .ended(let ending):
      try run(
        """
        UPDATE schedule SET counter = ?, slot = NULL, due = NULL, missed = NULL, since = NULL, endedAt = ?, endReason = ?,
          owesStopped = ? WHERE generation = ? AND slot = ?
        """,
        [
          counter, ending.at.milliseconds, ending.reason.map { Data($0.utf8) }, ending.owesStopped, generation,
          slot.milliseconds,
        ])
    }
  }

  fileprivate func remember(_ command: RememberedCommand) throws {
    try run(
      """
      INSERT OR REPLACE INTO answeredCommand
        (key, answeredAt, started, effect, stopped, rejectedField, rejectedReason) VALUES (?, ?, ?, ?, ?, ?, ?)
      """, command.statementArguments)
  }
}
