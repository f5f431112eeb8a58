import Foundation
import GRDB
package import Recurrence
package import Scheduling

/// How schedules are found, each by an index that gives them in their order.
private enum Query {
  static let byID = select("id = ?")
  static let afterID = select("id > ? ORDER BY id")
  static let owingStopped = select("owesStopped = 1 AND generation > ? ORDER BY generation")
  static let due = ByDue()
  static let followingZones = ByDue(and: "AND since IS NOT NULL")

  /// Two halves, because in one over (due, generation) SQLite would pass over all that is due together with a position.
  struct ByDue {
    let together: String
    let later: String

    init(and condition: String = "") {
      together = select("due = ? AND generation > ? \(condition) ORDER BY generation")
      later = select("due BETWEEN ? AND ? \(condition) ORDER BY due, generation")
    }
  }

  static func select(_ condition: String) -> String {
    "SELECT \(ScheduleColumn.names) FROM schedule WHERE \(condition)"
  }
}

extension SQLiteStore {
  package func recall() throws(StoreError) -> Recollection {
    let path = path
    return try read { database in
      let row = try Row.fetchOne(
        database.cachedStatement(
          sql: "SELECT lastGeneration, inDoubtThrough, secretFirst, secretSecond FROM recollection"))
      guard let row, let lastGeneration: Int64 = row[0], let inDoubtThrough: Int64 = row[1],
        let first: Int64 = row[2], let second: Int64 = row[3]
      else { throw StoreError(.corrupt, "\(path) is damaged: it has lost its secret; restore a backup.") }
      return Recollection(
        lastGeneration: lastGeneration, inDoubtThrough: Instant(milliseconds: inDoubtThrough),
        secret: SipHash.Key(UInt64(bitPattern: first), UInt64(bitPattern: second)))
    }
  }

  package func schedules(_ ids: [ScheduleID]) throws(StoreError) -> [Schedule?] {
    try read { database in
      try ids.map { try schedules(Query.byID, [Data($0.bytes)], limit: 1, in: database).first }
    }
  }

  package func remembered(_ keys: [CommandKey]) throws(StoreError) -> [RememberedCommand?] {
    try read { database in try keys.map { try RememberedCommand.fetch($0, from: database) } }
  }

  package func owingStopped(after generation: Int64, limit: Int) throws(StoreError) -> [Schedule] {
    try read { database in
      try schedules(Query.owingStopped, [generation], limit: limit, in: database)
    }
  }

  package func page(after id: ScheduleID?, limit: Int) throws(StoreError) -> [Schedule] {
    try read { database in
      // No id is empty, so that all of them come after an empty one.
      try schedules(Query.afterID, [Data(id?.bytes ?? [])], limit: limit, in: database)
    }
  }

  package func due(after position: DuePosition?, through: Instant, limit: Int) throws(StoreError) -> DuePage {
    var page = DuePage(schedules: [], isLast: true)
    var payloadBytes = 0
    try read { database in
      page.isLast = try forEachSchedule(Query.due, after: position, through: through, in: database) { schedule in
        guard page.schedules.count < limit, payloadBytes < DuePage.maximumPayloadBytes else { return false }
        page.schedules.append(schedule)
        payloadBytes += schedule.definition.payload?.count ?? 0
        return true
      }
    }
    return page
  }

  package func followingZones(after position: DuePosition?, limit: Int) throws(StoreError) -> [Schedule] {
    var schedules: [Schedule] = []
    try read { database in
      let end = Instant(milliseconds: .max)
      _ = try forEachSchedule(Query.followingZones, after: position, through: end, in: database) { schedule in
        guard schedules.count < limit else { return false }
        schedules.append(schedule)
        return true
      }
    }
    return schedules
  }

  private func schedules(
    _ query: String, _ arguments: StatementArguments, limit: Int, in database: Database
  ) throws -> [Schedule] {
    var schedules: [Schedule] = []
    _ = try forEachSchedule(query, arguments, in: database) { schedule in
      guard schedules.count < limit else { return false }
      schedules.append(schedule)
      return true
    }
    return schedules
  }

  /// Reads schedules in order of due until `body` returns false; says whether all were read.
  private func forEachSchedule(
    _ query: Query.ByDue, after position: DuePosition?, through: Instant, in database: Database,
    _ body: (Schedule) -> Bool
  ) throws -> Bool {
    var first = Int64.min
    if let position {
      guard position.due <= through else { return true }
      let (due, generation) = (position.due.milliseconds, position.generation)
      guard try forEachSchedule(query.together, [due, generation], in: database, body) else { return false }
      guard position.due < through else { return true }
      first = due + 1
    }
    return try forEachSchedule(query.later, [first, through.milliseconds], in: database, body)
  }

  /// Reads schedules one by one until `body` returns false; says whether all were read.
  ///
  /// So limits are counted by `body` and not by SQLite, because rows that cannot be read are reported and passed over.
  private func forEachSchedule(
    _ query: String, _ arguments: StatementArguments, in database: Database, _ body: (Schedule) -> Bool
  ) throws -> Bool {
    let rows = try Row.fetchCursor(database.cachedStatement(sql: query), arguments: arguments)
    while let row = try rows.next() {
      if let schedule = Schedule(row) {
        guard body(schedule) else { return false }
      } else {
        reportUnreadable(row)
      }
    }
    return true
  }
}
