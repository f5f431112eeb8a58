import GRDB
package import Recurrence
package import Scheduling

/// Queries for schedules. Each uses an index that yields its order.
enum Query {
  static let byID = select(schedulesFirst, "id = ?")
  static let history = "SELECT \(Schedule.History.columns) FROM \(schedulesFirst) WHERE id = ?"
  static let afterID = select(schedulesFirst, "id > ? ORDER BY id")
  static let owing = select(owingFirst, "1")
  static let due = ByDue()
  static let followingZones = ByDue(and: "AND since IS NOT NULL")
  static let listedByID = select(schedulesFirst, "id >= ? ORDER BY id", withPayload: false)
  static let listedByGroup = select(
    controlFirst, "walk.groupName = ? AND walk.id >= ? ORDER BY walk.id", withPayload: false)
  static let listedPaused = select(
    controlFirst, "walk.pausedSince IS NOT NULL AND walk.id >= ? ORDER BY walk.id", withPayload: false)
  static let listedByDue = ByDue(withPayload: false)
  static let listedByEnd = byEnd()
  /// In the stretches of both outlets.
  static let dueCount = """
    SELECT count(*) FROM (
      SELECT 1 FROM progress WHERE due <= ? UNION ALL SELECT 1 FROM progress WHERE due BETWEEN ? AND ? LIMIT ?)
    """

  /// A query for complete schedules, or for schedules as lists have them.
  struct Selection {
    var sql: String
    var withPayload: Bool
  }

  /// In order of (due, generation), after a position. Two queries: with one condition on both columns SQLite would scan all rows
  /// with the position's due time.
  struct ByDue {
    let together: Selection
    let later: Selection

    init(and condition: String = "", withPayload: Bool = true) {
      together = select(
        progressFirst, "due = ? AND generation > ? \(condition) ORDER BY generation", withPayload: withPayload)
      later = select(
        progressFirst, "due BETWEEN ? AND ? \(condition) ORDER BY due, generation", withPayload: withPayload)
    }
  }

  // SQLite does not reorder the tables of a cross join.
  private static let schedulesFirst = "schedule CROSS JOIN progress USING (generation, place)"
  private static let progressFirst = "progress CROSS JOIN schedule USING (generation, place)"
  private static let controlFirst = """
    control AS walk CROSS JOIN schedule ON schedule.generation = walk.generation
    CROSS JOIN progress ON progress.place = schedule.place AND progress.generation = schedule.generation
    """
  /// With its limit, which is none, SQLite keeps the order and merges two indexes; without it, it would sort all rows.
  private static let owingFirst = """
    (SELECT generation FROM progress WHERE owesStopped = 1 AND generation > ?1
     UNION SELECT generation FROM control WHERE owes = 1 AND generation > ?1 ORDER BY 1 LIMIT -1)
    CROSS JOIN schedule USING (generation) CROSS JOIN progress USING (generation, place)
    """

  /// Merges the index of ends with the schedules that owe a Stopped. The latter are sorted first; they are few.
  private static func byEnd() -> Selection {
    let kinds = Schedule.Ending.Kind.allCases.map { "owesStopped = 0 AND endKind = \($0.rawValue)" }
    let walks = (kinds + ["owesStopped = 1"]).map {
      select(progressFirst, "\($0) AND (endedAt, generation) < (?1, ?2)", withPayload: false).sql
    }
    // Columns by number, because a compound query has no table names.
    let (end, generation) = (ScheduleColumn.endedAt.rawValue + 1, ScheduleColumn.generation.rawValue + 1)
    let order = " ORDER BY \(end) DESC, \(generation) DESC"
    return Selection(sql: walks.joined(separator: " UNION ALL ") + order, withPayload: false)
  }

  private static func select(_ tables: String, _ condition: String, withPayload: Bool = true) -> Selection {
    let definition = ScheduleColumn.definition.map { column in
      withPayload || !ScheduleColumn.unlisted.contains(column) ? ScheduleColumn.names([column], of: "schedule") : "NULL"
    }.joined(separator: ", ")
    let progress = ScheduleColumn.names(ScheduleColumn.progress, of: "progress")
    let sql = """
      SELECT \(definition), \(progress),
        EXISTS (SELECT 1 FROM control WHERE control.generation = schedule.generation)
      FROM \(tables) WHERE \(condition)
      """
    return Selection(sql: sql, withPayload: withPayload)
  }
}

extension SQLiteStore {
  package func load() throws(StoreError) -> PersistentState {
    let path = path
    return try read { database in
      var state: PersistentState?
      _ = try database.forEachRow(
        "SELECT lastGeneration, inDoubtThrough, secretFirst, secretSecond, inboxBatch, rulesVersion FROM recollection"
      ) {
        guard let lastGeneration = $0.integer(0), let inDoubtThrough = $0.integer(1), let first = $0.integer(2),
          let second = $0.integer(3), let inboxBatch = $0.integer(4)
        else { return true }
        state = PersistentState(
          lastGeneration: lastGeneration, inDoubtThrough: Instant(milliseconds: inDoubtThrough),
          secret: SipHash.Key(UInt64(bitPattern: first), UInt64(bitPattern: second)), inboxBatch: inboxBatch,
          rulesVersion: $0.integer(5) ?? 1)
        return true
      }
      guard let state else {
        throw StoreError(.corrupt, "\(path) is damaged: its secret is missing; restore a backup.")
      }
      return state
    }
  }

  package func history(of id: ScheduleID) throws(StoreError) -> Schedule.History? {
    var history: Schedule.History?
    try read { database in
      _ = try database.forEachRow(Query.history, { $0.bind(id.bytes) }) {
        history = Schedule.History($0)
        return true
      }
    }
    return history
  }

  package func counts() throws(StoreError) -> ScheduleCounts {
    var counts = ScheduleCounts()
    try read { database in
      _ = try database.forEachRow("SELECT live, ended, paused FROM recollection") {
        counts = ScheduleCounts(
          live: Int($0.integer(0) ?? 0), ended: Int($0.integer(1) ?? 0), paused: Int($0.integer(2) ?? 0))
        return true
      }
    }
    return counts
  }

  package func schedules(_ ids: [ScheduleID]) throws(StoreError) -> [Schedule?] {
    try read { database in
      try ids.map { id in try schedules(Query.byID, limit: 1, in: database) { $0.bind(id.bytes) }.first }
    }
  }

  package func remembered(_ keys: [CommandKey]) throws(StoreError) -> [RememberedCommand?] {
    try read { database in try keys.map { try RememberedCommand.fetch($0, from: database) } }
  }

  package func owing(after generation: Int64, limit: Int) throws(StoreError) -> [Schedule] {
    try read { database in
      try schedules(Query.owing, limit: limit, in: database) { $0.bind(generation) }
    }
  }

  package func page(after id: ScheduleID?, limit: Int) throws(StoreError) -> [Schedule] {
    try read { database in
      // No id is empty, so every id is after an empty one.
      try schedules(Query.afterID, limit: limit, in: database) { $0.bind(id?.bytes ?? []) }
    }
  }

  package func listed(_ walk: ListWalk, limit: Int) throws(StoreError) -> [Schedule] {
    try read { database in
      switch walk {
      case .id(let first):
        return try schedules(Query.listedByID, limit: limit, in: database) { $0.bind(first) }
      case .group(let name, let first):
        return try schedules(Query.listedByGroup, limit: limit, in: database) {
          $0.bind(name)
          $0.bind(first)
        }
      case .paused(let first):
        return try schedules(Query.listedPaused, limit: limit, in: database) { $0.bind(first) }
      case .due(let position):
        return try listedByDue(after: position, limit: limit, in: database)
      case .end(let position):
        return try schedules(Query.listedByEnd, limit: limit, in: database) {
          $0.bind(position?.at.milliseconds ?? .max)
          $0.bind(position?.generation ?? .max)
        }
      }
    }
  }

  package func dueCount(through: Instant, upTo bound: Int) throws(StoreError) -> (count: Int, isAll: Bool) {
    var count = 0
    try read { database in
      _ = try database.forEachRow(
        Query.dueCount,
        {
          let start = DuePosition.start(of: .targets)?.rank ?? .max
          $0.bind(min(through.milliseconds, start - 1))
          $0.bind(start)
          $0.bind(DuePosition.end(of: .targets, due: through).rank)
          $0.bind(bound + 1)
        }
      ) { row in
        count = Int(row.integer(0) ?? 0)
        return true
      }
    }
    return (min(count, bound), count <= bound)
  }

  /// Merges the schedules of both outlets.
  private func listedByDue(after position: DuePosition?, limit: Int, in database: Database) throws -> [Schedule] {
    let (stretches, rest) = DuePosition.listed(after: position)
    func read(_ stretch: ClosedRange<DuePosition>, _ limit: Int) throws -> [Schedule] {
      try schedules(
        Query.listedByDue, after: stretch.lowerBound, through: stretch.upperBound, limit: limit, in: database)
    }
    var listed = try stretches.flatMap { try read($0, limit) }
    listed.sort { $0.isListedByDue(before: $1) }
    if listed.count < limit { listed += try read(rest, limit - listed.count) }
    return Array(listed.prefix(limit))
  }

  package func due(after position: DuePosition?, through end: DuePosition, limit: Int) throws(StoreError) -> DuePage {
    var page = DuePage(schedules: [], isLast: true)
    var payloadBytes = 0
    try read { database in
      page.isLast = try forEachSchedule(Query.due, after: position, through: end, in: database) { schedule in
        guard page.schedules.count < limit, payloadBytes < DuePage.maximumPayloadBytes else { return false }
        assert(page.schedules.last.map { $0.isDue(before: schedule) } ?? true, "due schedules are out of order")
        page.schedules.append(schedule)
        payloadBytes += schedule.definition.payload?.count ?? 0
        return true
      }
    }
    return page
  }

  package func followingZones(after position: DuePosition?, limit: Int) throws(StoreError) -> [Schedule] {
    try read { database in
      try schedules(Query.followingZones, after: position, through: .last, limit: limit, in: database)
    }
  }

  private func schedules(
    _ query: Query.ByDue, after position: DuePosition?, through end: DuePosition, limit: Int, in database: Database
  ) throws -> [Schedule] {
    var schedules: [Schedule] = []
    _ = try forEachSchedule(query, after: position, through: end, in: database) { schedule in
      guard schedules.count < limit else { return false }
      schedules.append(schedule)
      return true
    }
    return schedules
  }

  private func schedules(
    _ query: Query.Selection, limit: Int, in database: Database, _ bind: (inout ParameterValues) -> Void
  ) throws -> [Schedule] {
    var schedules: [Schedule] = []
    _ = try forEachSchedule(query, in: database, bind) { schedule in
      guard schedules.count < limit else { return false }
      schedules.append(schedule)
      return true
    }
    return schedules
  }

  /// Reads schedules in due order until `body` returns false. Returns whether all were read.
  private func forEachSchedule(
    _ query: Query.ByDue, after position: DuePosition?, through end: DuePosition, in database: Database,
    _ body: (Schedule) -> Bool
  ) throws -> Bool {
    var first = Int64.min
    if let position {
      guard position.rank <= end.rank else { return true }
      let isRead = try forEachSchedule(
        query.together, in: database,
        {
          $0.bind(position.rank)
          $0.bind(position.generation)
        }, body)
      guard isRead else { return false }
      guard position.rank < end.rank else { return true }
      first = position.rank + 1
    }
    return try forEachSchedule(
      query.later, in: database,
      {
        $0.bind(first)
        $0.bind(end.rank)
      }, body)
  }

  /// Reads schedules until `body` returns false. Returns whether all were read.
  ///
  /// `body` applies the limit, not SQLite, because unreadable rows are reported and skipped.
  private func forEachSchedule(
    _ query: Query.Selection, in database: Database, _ bind: (inout ParameterValues) -> Void,
    _ body: (Schedule) -> Bool
  ) throws -> Bool {
    try database.forEachRow(query.sql, bind) { row in
      if var schedule = Schedule(row) {
        if row.integer(ScheduleColumn.hasControl) == 0 { return body(schedule) }
        let isValid = try ControlRow.complete(&schedule, withPayload: query.withPayload, from: database)
        if isValid { return body(schedule) }
      }
      reportUnreadable(row)
      return true
    }
  }
}

extension Schedule {
  /// Whether it precedes another schedule in due order. For assertions.
  fileprivate func isDue(before other: Schedule) -> Bool {
    guard let position, let next = other.position else { return false }
    return position < next
  }

  /// Whether it precedes another schedule in a list of both outlets.
  fileprivate func isListedByDue(before other: Schedule) -> Bool {
    guard let due = nextTick?.due, let otherDue = other.nextTick?.due else { return false }
    return (due, generation) < (otherDue, other.generation)
  }
}
