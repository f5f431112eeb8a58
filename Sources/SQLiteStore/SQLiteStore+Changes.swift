import GRDB
import Recurrence
package import Scheduling

extension SQLiteStore {
  package func apply(_ changes: [Change]) throws(StoreError) {
    try write { database in
      try database.giveGenerations(to: changes)
      for change in changes {
        switch change {
        case .start(let schedule):
          try database.start(schedule)
        case .proceed(let generation, let slot, let state, let counter):
          try database.proceed(generation: generation, from: slot, to: state, counter: counter)
        case .announced(let generation):
          try database.announced(generation)
        case .remember(let command):
          try database.remember(command)
        case .markInDoubt(let through):
          try database.run("UPDATE recollection SET inDoubtThrough = ?") { $0.bind(through.milliseconds) }
        }
      }
    }
  }
}

private enum Statement {
  static let insertDefinition = insert("OR REPLACE INTO schedule", ScheduleColumn.names(ScheduleColumn.definition))
  static let insertProgress = insert("INTO progress", "generation, " + ScheduleColumn.names(ScheduleColumn.progress))

  private static func insert(_ table: String, _ columns: String) -> String {
    let places = columns.split(separator: ",").map { _ in "?" }.joined(separator: ", ")
    return "INSERT \(table) (\(columns)) VALUES (\(places))"
  }
}

extension Database {
  /// Raises the last generation given to that of the last Start. Each has to be above those before it.
  fileprivate func giveGenerations(to changes: [Change]) throws {
    var first: Int64?
    var last: Int64?
    for case .start(let schedule) in changes {
      guard last.map({ $0 < schedule.generation }) ?? true else { throw Self.staleGeneration(schedule.generation) }
      first = first ?? schedule.generation
      last = schedule.generation
    }
    guard let first, let last else { return }
    try run("UPDATE recollection SET lastGeneration = ? WHERE lastGeneration < ?") {
      $0.bind(last)
      $0.bind(first)
    }
    guard changesCount == 1 else { throw Self.staleGeneration(first) }
  }

  private static func staleGeneration(_ generation: Int64) -> StoreError {
    StoreError(.other, "Generation \(generation) is not above the last one given.")
  }

  /// Puts a schedule in the place of whatever stands under its id: that goes, and its progress with it.
  fileprivate func start(_ schedule: Schedule) throws {
    try run(Statement.insertDefinition) { schedule.bind(ScheduleColumn.definition, to: &$0) }
    try run(Statement.insertProgress) {
      $0.bind(schedule.generation)
      schedule.bind(ScheduleColumn.progress, to: &$0)
    }
  }

  fileprivate func announced(_ generation: Int64) throws {
    try run("UPDATE progress SET owesStopped = 0 WHERE generation = ? AND endedAt IS NOT NULL") { $0.bind(generation) }
    guard changesCount == 1 else { return }
    try run("UPDATE schedule SET payload = NULL WHERE generation = ?") { $0.bind(generation) }
  }

  /// Only live rows have a slot, so that one comparison tells both.
  fileprivate func proceed(generation: Int64, from slot: Instant, to state: Schedule.State, counter: Int64) throws {
    switch state {
    case .live(let pending):
      try run(
        "UPDATE progress SET counter = ?, slot = ?, due = ?, missed = ?, since = ? WHERE generation = ? AND slot = ?"
      ) {
        $0.bind(counter)
        $0.bind(pending.slot.milliseconds)
        $0.bind(pending.due.milliseconds)
        $0.bind(pending.missed)
        $0.bind(pending.since?.milliseconds)
        $0.bind(generation)
        $0.bind(slot.milliseconds)
      }
    case .ended(let ending):
      try run(
        """
        UPDATE progress SET counter = ?, slot = NULL, due = NULL, missed = NULL, since = NULL, endedAt = ?, endReason = ?,
          owesStopped = ? WHERE generation = ? AND slot = ?
        """
      ) {
        $0.bind(counter)
        $0.bind(ending.at.milliseconds)
        $0.bind(ending.reason.map { Array($0.utf8) })
        $0.bind(ending.owesStopped)
        $0.bind(generation)
        $0.bind(slot.milliseconds)
      }
    }
  }

  fileprivate func remember(_ command: RememberedCommand) throws {
    try run(
      """
      INSERT OR REPLACE INTO answeredCommand
        (key, answeredAt, started, effect, stopped, rejectedField, rejectedReason) VALUES (?, ?, ?, ?, ?, ?, ?)
      """
    ) { command.bind(to: &$0) }
  }
}
