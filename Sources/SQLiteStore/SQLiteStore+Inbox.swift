import GRDB
package import Scheduling

extension SQLiteStore {
  package func takeInbox(after position: InboxPosition?, limit: Int) throws(StoreError) -> InboxPage {
    var page = InboxPage()
    try read { page = try $0.inboxPage(after: position, limit: limit) }
    assert(page.rows.count <= limit, "a page is longer than its limit")
    let tried = page.rows.filter { $0.answer == nil }.map(\.position)
    if !tried.isEmpty { try countTries(of: tried, passedOver: []) }
    return page
  }

  package func countTries(of positions: [InboxPosition], passedOver: [InboxPosition]) throws(StoreError) {
    try write { database in
      for position in positions {
        try database.run("UPDATE inbox SET tries = tries + 1 WHERE sequence = ?") { $0.bind(position.sequence) }
      }
      for position in passedOver {
        try database.run("UPDATE inbox SET tries = max(0, tries - 1) WHERE sequence = ?") {
          $0.bind(position.sequence)
        }
      }
    }
  }
}

extension Database {
  func apply(_ change: InboxChange) throws {
    switch change {
    case .receive(let arrivals, let batch): try receive(arrivals, batch: batch)
    case .complete(let batch):
      try run("UPDATE recollection SET inboxBatch = ?") { $0.bind(batch) }
      try run("DELETE FROM inboxReapplied WHERE batch < (SELECT min(batch) FROM inbox)")
    case .discardIncomplete: try run("DELETE FROM inbox WHERE batch > (SELECT inboxBatch FROM recollection)")
    case .answered(let position, let answer):
      try run(
        """
        UPDATE inbox SET started = ?2, effect = ?3, stopped = ?4, rejectedField = ?5, rejectedReason = ?6,
          controlled = ?7, matched = ?8, changed = ?9
        WHERE sequence = ?1
        """
      ) {
        $0.bind(position.sequence)
        answer.bind(to: &$0)
      }
    case .reapply(let id, let batch):
      try run("INSERT OR REPLACE INTO inboxReapplied VALUES (?, ?)") {
        $0.bind(id.bytes)
        $0.bind(batch)
      }
    case .remove(let position):
      try run("DELETE FROM inbox WHERE sequence = ?") { $0.bind(position.sequence) }
    }
  }

  private func receive(_ arrivals: [InboxArrival], batch: Int64) throws {
    let insert = try PreparedStatement(
      "INSERT INTO inbox (batch, deliveries, routingKey, properties, body) VALUES (?, ?, ?, ?, ?)", in: self)
    for arrival in arrivals {
      try insert.run {
        $0.bind(batch)
        $0.bind(arrival.deliveries)
        $0.bind(arrival.raw.routingKey)
        $0.bind(arrival.raw.properties)
        $0.bind(arrival.raw.body)
      }
    }
  }

  fileprivate func inboxPage(after position: InboxPosition?, limit: Int) throws -> InboxPage {
    var page = InboxPage()
    var bytes = 0
    page.isLast = try forEachRow(
      """
      SELECT sequence, batch, deliveries, tries, routingKey, properties, body, \(RememberedCommand.Answer.columns)
      FROM inbox WHERE batch <= (SELECT inboxBatch FROM recollection)
        AND (batch > ?1 OR batch = ?1 AND (deliveries < ?2 OR deliveries = ?2 AND sequence > ?3))
      ORDER BY batch, deliveries DESC, sequence
      """,
      {
        $0.bind(position?.batch ?? .min)
        $0.bind(position?.deliveries ?? .max)
        $0.bind(position?.sequence ?? .min)
      }
    ) { columns in
      let row = InboxRow(columns)
      guard page.rows.count < limit, bytes < InboxPage.maximumBytes, !page.endsWithTried,
        page.rows.isEmpty || !row.wasTried
      else { return false }
      page.rows.append(row)
      bytes += row.raw.body.count
      return true
    }
    _ = try forEachRow("SELECT id, batch FROM inboxReapplied") { columns in
      if let id = columns.bytes(0) { page.reapplied[ScheduleID(stored: id)] = columns.integer(1) ?? 0 }
      return true
    }
    return page
  }
}

extension InboxPage {
  fileprivate var endsWithTried: Bool { rows.last?.wasTried ?? false }
}

extension InboxRow {
  fileprivate var wasTried: Bool { tries > 0 && answer == nil }

  fileprivate init(_ columns: ColumnValues) {
    self.init(
      position: InboxPosition(
        batch: columns.integer(1) ?? 0, deliveries: columns.integer(2) ?? 0, sequence: columns.integer(0) ?? 0),
      raw: RawDelivery(
        routingKey: columns.bytes(4) ?? [], properties: columns.bytes(5) ?? [], body: columns.bytes(6) ?? []),
      tries: Int(clamping: columns.integer(3) ?? 0), answer: RememberedCommand.Answer(columns, from: 7))
  }
}
