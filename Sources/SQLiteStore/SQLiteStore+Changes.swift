import GRDB
import Recurrence
package import Scheduling

extension SQLiteStore {
  package func apply(_ changes: [Change]) throws(StoreError) {
    try write { database in
      try database.giveGenerations(to: changes)
      var counts = ScheduleCounts()
      for change in changes {
        switch change {
        case .start(let schedule, let beginning):
          try database.start(schedule, beginning)
          if schedule.pending == nil { counts.ended += 1 } else { counts.live += 1 }
        case .proceed(let key, let slot, let progress, let tally):
          if try database.proceed(key, from: slot, to: progress, adding: tally), case .ended = progress.state {
            counts.live -= 1
            counts.ended += 1
          }
        case .announced(let generation):
          try database.announced(generation)
        case .remember(let command):
          try database.remember(command)
        case .markInDoubt(let through):
          try database.run("UPDATE recollection SET inDoubtThrough = ?") { $0.bind(through.milliseconds) }
        }
      }
      try database.add(counts)
    }
  }
}

private enum Statement {
  static let insertDefinition = insert(
    "OR REPLACE INTO schedule", "\(Schedule.Beginning.columns), " + ScheduleColumn.names(ScheduleColumn.definition))
  static let insertProgress = insert(
    "INTO progress", "place, generation, " + ScheduleColumn.names(ScheduleColumn.progress))

  static let goOn = Update(ScheduleColumn.live)
  static let end = Update(ScheduleColumn.ended, and: "slot = NULL, due = NULL, missed = NULL, since = NULL, ")

  struct Update {
    let columns: [ScheduleColumn]
    /// After a usual tick, and where there are sums to add to.
    let usual: String
    let adding: String

    init(_ columns: [ScheduleColumn], and others: String = "") {
      let values = others + columns.map { "\($0) = ?, " }.joined()
      // Only live rows have a slot, so that one comparison tells both.
      func update(_ tally: String) -> String { "UPDATE progress SET \(values)\(tally) WHERE place = ? AND slot = ?" }
      self.columns = columns
      usual = update(Schedule.Tally.lastChange)
      adding = update(Schedule.Tally.everyChange)
    }
  }

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
    for case .start(let schedule, _) in changes {
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
  fileprivate func start(_ schedule: Schedule, _ beginning: Schedule.Beginning?) throws {
    try run(Statement.insertDefinition) {
      Schedule.Beginning.bind(beginning, to: &$0)
      schedule.bindDefinition(to: &$0)
    }
    try run(Statement.insertProgress) {
      $0.bind(schedule.key.place)
      $0.bind(schedule.generation)
      schedule.progress.bind(ScheduleColumn.progress, to: &$0)
    }
  }

  /// Says whether there was such a schedule, live with that slot.
  fileprivate func proceed(
    _ key: Schedule.Key, from slot: Instant, to progress: Schedule.Progress, adding tally: Schedule.Tally
  ) throws -> Bool {
    let update =
      switch progress.state {
      case .live: Statement.goOn
      case .ended: Statement.end
      }
    let isUsual = tally.isOfUsualTick
    try run(isUsual ? update.usual : update.adding) {
      progress.bind(update.columns, to: &$0)
      tally.bindLast(to: &$0)
      if !isUsual { tally.bindSums(to: &$0) }
      $0.bind(key.place)
      $0.bind(slot.milliseconds)
    }
    return changesCount == 1
  }

  /// Counts what a transaction started and ended; what it removed the database counts.
  fileprivate func add(_ counts: ScheduleCounts) throws {
    guard counts != ScheduleCounts() else { return }
    try run("UPDATE recollection SET live = live + ?, ended = ended + ?") {
      $0.bind(counts.live)
      $0.bind(counts.ended)
    }
  }

  fileprivate func announced(_ generation: Int64) throws {
    try run(
      """
      UPDATE progress SET owesStopped = 0
      WHERE place = (SELECT place FROM schedule WHERE generation = ?) AND endedAt IS NOT NULL
      """
    ) { $0.bind(generation) }
    guard changesCount == 1 else { return }
    try run("UPDATE schedule SET payload = NULL WHERE generation = ?") { $0.bind(generation) }
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
