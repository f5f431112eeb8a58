import GRDB
import Recurrence
import Scheduling

/// The statements that write changes, prepared once per transaction.
struct ChangeStatements {
  private let insertDefinition, insertProgress, updateDefinition: PreparedStatement
  private let insertControl, deleteControl, settleResumed, settleTriggered: PreparedStatement
  private let advanceLive, end: ProgressUpdate
  private let markAnnounced, dropPayload: PreparedStatement
  private let insertAnswer: PreparedStatement
  private let batches: BatchStatements

  init(_ database: Database) throws {
    insertDefinition = try PreparedStatement(SQL.insertDefinition, in: database)
    insertProgress = try PreparedStatement(SQL.insertProgress, in: database)
    updateDefinition = try PreparedStatement(SQL.updateDefinition, in: database)
    insertControl = try PreparedStatement(ControlRow.insert, in: database)
    deleteControl = try PreparedStatement(ControlRow.delete, in: database)
    settleResumed = try PreparedStatement(ControlRow.settleResumed, in: database)
    settleTriggered = try PreparedStatement(ControlRow.settleTriggered, in: database)
    advanceLive = try ProgressUpdate(SQL.advanceLive, in: database)
    end = try ProgressUpdate(SQL.end, in: database)
    markAnnounced = try PreparedStatement(SQL.markAnnounced, in: database)
    dropPayload = try PreparedStatement(SQL.dropPayload, in: database)
    insertAnswer = try PreparedStatement(SQL.insertAnswer, in: database)
    batches = BatchStatements(database)
  }

  /// Inserts a schedule. Replaces the schedule with the same id, if there is one, and its progress.
  func start(_ schedule: Schedule, _ beginning: Schedule.Beginning?) throws {
    try insertDefinition.run {
      Schedule.Beginning.bind(beginning, to: &$0)
      schedule.bindDefinition(to: &$0)
    }
    try insertProgress.run {
      $0.bind(schedule.key.rowKey)
      $0.bind(schedule.generation)
      schedule.progress.bind(ScheduleColumn.progress, of: schedule.definition.outlet, to: &$0)
    }
    if ControlRow.isNeeded(by: schedule) { try insertControl.run { ControlRow.bind(schedule, to: &$0) } }
  }

  /// Returns whether the schedule exists and is live with that slot.
  func revise(
    _ schedule: Schedule, from slot: Instant, isRedefined: Bool, adding tally: Schedule.Tally
  ) throws -> Bool {
    let outlet = schedule.definition.outlet
    guard try advance(schedule.key, from: slot, to: schedule.progress, adding: tally, on: outlet) else { return false }
    if isRedefined {
      var defined = schedule
      if schedule.ending?.needsPayloadNoMore == true { defined.definition.payload = nil }
      try updateDefinition.run {
        defined.bindRedefinition(to: &$0)
        $0.bind(schedule.generation)
      }
    }
    if ControlRow.isNeeded(by: schedule) {
      try insertControl.run { ControlRow.bind(schedule, to: &$0) }
    } else {
      try deleteControl.run { $0.bind(schedule.generation) }
    }
    return true
  }

  /// Returns whether the schedule exists and is live with that slot.
  func advance(
    _ key: Schedule.Key, from slot: Instant, to progress: Schedule.Progress, adding tally: Schedule.Tally,
    on outlet: Outlet
  ) throws -> Bool {
    guard case .ended(let ending) = progress.state else {
      return try advanceLive.run(key, from: slot, to: progress, adding: tally, on: outlet)
    }
    guard try end.run(key, from: slot, to: progress, adding: tally, on: outlet) else { return false }
    if ending.needsPayloadNoMore { try dropPayload.run { $0.bind(key.generation) } }
    return true
  }

  /// The Stopped of a schedule was published, so that its payload is no longer needed.
  func announced(_ generation: Int64, _ owed: OwedEvent) throws {
    switch owed {
    case .stopped: try announcedStopped(generation)
    case .resumed: try settleResumed.run { $0.bind(generation) }
    case .triggeredTick: try settleTriggered.run { $0.bind(generation) }
    }
  }

  private func announcedStopped(_ generation: Int64) throws {
    let marked = try markAnnounced.run { $0.bind(generation) }
    assert(marked <= 1, "two schedules have one generation")
    guard marked == 1 else { return }
    try dropPayload.run { $0.bind(generation) }
  }

  func apply(_ change: BatchChange) throws { try batches.apply(change) }

  func remember(_ command: RememberedCommand) throws {
    try insertAnswer.run { command.bind(to: &$0) }
  }
}

/// Updates a schedule's progress.
private struct ProgressUpdate {
  private let columns: [ScheduleColumn]
  /// For a usual tick, and for one that also changes sums.
  private let usual, adding: PreparedStatement

  init(_ sql: SQL.Update, in database: Database) throws {
    columns = sql.columns
    usual = try PreparedStatement(sql.usual, in: database)
    adding = try PreparedStatement(sql.adding, in: database)
  }

  func run(
    _ key: Schedule.Key, from slot: Instant, to progress: Schedule.Progress, adding tally: Schedule.Tally,
    on outlet: Outlet
  ) throws -> Bool {
    let isUsual = tally.isOfUsualTick
    let changed = try (isUsual ? usual : adding).run {
      progress.bind(columns, of: outlet, to: &$0)
      tally.bindLast(to: &$0)
      if !isUsual { tally.bindSums(to: &$0) }
      $0.bind(key.rowKey)
      $0.bind(slot.milliseconds)
    }
    assert(changed <= 1, "a row key is not unique")
    return changed == 1
  }
}

private enum SQL {
  static let insertDefinition = insert(
    "OR REPLACE INTO schedule", "\(Schedule.Beginning.columns), " + ScheduleColumn.names(ScheduleColumn.definition))
  static let updateDefinition = """
    UPDATE schedule SET \(ScheduleColumn.redefined.map { "\($0.name) = ?" }.joined(separator: ", "))
    WHERE generation = ?
    """
  static let insertProgress = insert(
    "INTO progress", "place, generation, " + ScheduleColumn.names(ScheduleColumn.progress))
  static let insertAnswer = insert(
    "OR REPLACE INTO answeredCommand", "key, answeredAt, " + RememberedCommand.Answer.columns)

  static let advanceLive = Update(ScheduleColumn.live)
  static let end = Update(ScheduleColumn.ended, and: "slot = NULL, due = NULL, missed = NULL, since = NULL, ")

  static let markAnnounced = """
    UPDATE progress SET owesStopped = 0
    WHERE place = (SELECT place FROM schedule WHERE generation = ?) AND endedAt IS NOT NULL
    """
  static let dropPayload = "UPDATE schedule SET payload = NULL WHERE generation = ?"

  struct Update {
    let columns: [ScheduleColumn]
    let usual: String
    let adding: String

    init(_ columns: [ScheduleColumn], and others: String = "") {
      let values = others + columns.map { "\($0.name) = ?, " }.joined()
      // Only live rows have a slot, so this also checks that the schedule is live.
      func update(_ tally: String) -> String { "UPDATE progress SET \(values)\(tally) WHERE place = ? AND slot = ?" }
      self.columns = columns
      usual = update(Schedule.Tally.lastChange)
      adding = update(Schedule.Tally.everyChange)
    }
  }

  private static func insert(_ table: String, _ columns: String) -> String {
    let parameters = columns.split(separator: ",").map { _ in "?" }.joined(separator: ", ")
    return "INSERT \(table) (\(columns)) VALUES (\(parameters))"
  }
}
