import GRDB
import Recurrence
package import Scheduling

/// Writes changes of batches. Statements are prepared when they are needed, since few transactions have any.
struct BatchStatements {
  private let database: Database

  init(_ database: Database) { self.database = database }

  func apply(_ change: BatchChange) throws {
    switch change {
    case .begin(let batch): try database.run(Batch.insert) { batch.bind(to: &$0) }
    case .add(let ids, let batch):
      let insert = try PreparedStatement("INSERT INTO batchMember (batch, id) VALUES (?, ?)", in: database)
      for id in ids {
        try insert.run {
          $0.bind(batch)
          $0.bind(id.bytes)
        }
      }
    case .complete(let number): try database.run("UPDATE batch SET isComplete = 1 WHERE number = ?") { $0.bind(number) }
    case .decided(let member, let answer, let isChanged): try decided(member, answer, isChanged: isChanged)
    case .remove(let member):
      try database.run("DELETE FROM batchMember WHERE batch = ? AND id = ?") {
        $0.bind(member.batch)
        $0.bind(member.id.bytes)
      }
    case .end(let number): try database.run("DELETE FROM batch WHERE number = ?") { $0.bind(number) }
    }
  }

  private func decided(_ member: BatchMember, _ answer: RememberedCommand.Answer, isChanged: Bool) throws {
    let columns = RememberedCommand.Answer.columns
    let parameters = columns.split(separator: ",").map { _ in "?" }.joined(separator: ", ")
    try database.run("UPDATE batchMember SET (\(columns)) = (\(parameters)) WHERE batch = ? AND id = ?") {
      answer.bind(to: &$0)
      $0.bind(member.batch)
      $0.bind(member.id.bytes)
    }
    guard isChanged else { return }
    try database.run("UPDATE batch SET changed = changed + 1 WHERE number = ? AND isRepeat = 0") {
      $0.bind(member.batch)
    }
  }
}

extension SQLiteStore {
  package func batches(after member: BatchMember?, limit: Int) throws(StoreError) -> BatchPage {
    var page = BatchPage()
    try read { database in
      if member == nil { page.batches = try Batch.fetchAll(from: database) }
      page.isLast = try database.forEachRow(
        """
        SELECT batch, id, \(RememberedCommand.Answer.columns) FROM batchMember
        WHERE (batch, id) > (?, ?) ORDER BY batch, id
        """,
        {
          $0.bind(member?.batch ?? .min)
          $0.bind(member?.id.bytes ?? [])
        }
      ) { row in
        guard page.rows.count < limit else { return false }
        let member = BatchMember(batch: row.integer(0) ?? 0, id: ScheduleID(stored: row.bytes(1) ?? []))
        page.rows.append(BatchMemberRow(member: member, answer: RememberedCommand.Answer(row, from: 2)))
        return true
      }
    }
    return page
  }
}

extension Batch {
  private static let columns = """
    number, key, command, groupName, prefix, maximum, pauseUntil, misfirePolicy, reason, messageID, matched, changed,
    isRepeat, isComplete
    """
  fileprivate static let insert = """
    INSERT INTO batch (\(columns)) VALUES (\(columns.split(separator: ",").map { _ in "?" }.joined(separator: ", ")))
    """

  /// Binds the values of `columns`.
  fileprivate func bind(to parameters: inout ParameterValues) {
    parameters.bind(number)
    parameters.bind(key.bytes)
    parameters.bind(command.action.kind.rawValue)
    switch command.selector {
    case .group(let name):
      parameters.bind(name)
      parameters.bindNulls(1)
    case .prefix(let prefix):
      parameters.bindNulls(1)
      parameters.bind(prefix)
    }
    parameters.bind(command.maximum)
    switch command.action {
    case .stop(let reason):
      parameters.bindNulls(2)
      parameters.bind(text: reason)
    case .pause(let end, let reason, _):
      if case .until(let instant)? = end { parameters.bind(instant.milliseconds) } else { parameters.bindNulls(1) }
      parameters.bindNulls(1)
      parameters.bind(text: reason)
    case .resume(let policy, let reason):
      parameters.bindNulls(1)
      parameters.bind(policy?.rawValue)
      parameters.bind(text: reason)
    }
    parameters.bind(messageID)
    parameters.bind(counts.matched)
    parameters.bind(counts.changed)
    parameters.bind(isRepeat ? 1 : 0)
    parameters.bind(isComplete ? 1 : 0)
  }

  fileprivate static func fetchAll(from database: Database) throws -> [Batch] {
    var batches: [Batch] = []
    _ = try database.forEachRow("SELECT \(columns) FROM batch ORDER BY number") { row in
      if let batch = Batch(row) { batches.append(batch) }
      return true
    }
    return batches
  }

  /// Nil for an invalid row.
  private init?(_ row: ColumnValues) {
    let selector = row.bytes(3).map { BatchCommand.Selector.group($0) } ?? row.bytes(4).map { .prefix($0) }
    guard let number = row.integer(0), let key = row.bytes(1).flatMap(CommandKey.init(bytes:)), let selector,
      let kind = row.text(2).flatMap(BatchCommand.Action.Kind.init)
    else { return nil }
    let reason = row.freeText(8)
    let action: BatchCommand.Action =
      switch kind {
      case .stop: .stop(reason: reason ?? "")
      case .pause: .pause(end: row.instant(6).map { .until($0) }, reason: reason, time: nil)
      case .resume: .resume(misfirePolicy: row.text(7).flatMap(MisfirePolicy.init), reason: reason)
      }
    self.init(
      number: number, key: key,
      command: BatchCommand(selector: selector, action: action, maximum: Int(clamping: row.integer(5) ?? 0)),
      messageID: row.bytes(9),
      counts: BatchCounts(matched: Int(clamping: row.integer(10) ?? 0), changed: Int(clamping: row.integer(11) ?? 0)),
      isRepeat: row.integer(12) == 1, isComplete: row.integer(13) == 1)
  }
}

extension BatchCommand.Action {
  /// As stored.
  fileprivate enum Kind: String {
    case stop, pause, resume
  }

  fileprivate var kind: Kind {
    switch self {
    case .stop: .stop
    case .pause: .pause
    case .resume: .resume
    }
  }
}

extension CommandKey {
  /// From the 16 bytes that are stored; nil for another number of them.
  fileprivate init?(bytes: [UInt8]) {
    guard bytes.count == 16 else { return nil }
    let halves = [bytes[..<8], bytes[8...]].map { $0.reduce(UInt64(0)) { $0 << 8 | UInt64($1) } }
    self.init(high: halves[0], low: halves[1])
  }
}
