import GRDB
package import Recurrence
package import Scheduling

/// Queries for pending messages. Each uses an index that yields its order.
enum MessageQuery {
  static let summary = ["sequence", "due", "received", "bytes", "routingKey", "messageID", "owner"]
    .map { "pendingMessage.\($0)" }.joined(separator: ", ")
  // Two queries, see `Query.ByDue`.
  static let together = page("due = ?2 AND sequence > ?3 ORDER BY sequence")
  static let later = page("due BETWEEN ?2 AND ?3 ORDER BY due, sequence")
  static let byID =
    "SELECT \(summary), front, back FROM pendingMessage JOIN messageRoute ON id = route WHERE idKey = ? ORDER BY sequence"
  static let nextKey = "SELECT min(idKey) FROM pendingMessage WHERE idKey >= ?"
  static let content = "SELECT properties, body FROM pendingContent WHERE sequence = ?"
  static let totals = """
    SELECT front, back, messages, bytes, (SELECT min(due) FROM pendingMessage WHERE route = id) FROM messageRoute
    """

  private static func page(_ condition: String) -> String {
    "SELECT \(summary) FROM pendingMessage WHERE route = ?1 AND \(condition)"
  }
}

extension SQLiteStore: MessageStore {
  package func lastMessage() throws(StoreError) -> Int64 {
    var last: Int64 = 0
    try read { database in
      _ = try database.forEachRow("SELECT max(sequence) FROM pendingMessage") {
        last = $0.integer(0) ?? 0
        return true
      }
    }
    return last
  }

  package func messageTotals() throws(StoreError) -> [MessageTotals] {
    var totals: [MessageTotals] = []
    try read { database in
      _ = try database.forEachRow(MessageQuery.totals) { row in
        totals.append(
          MessageTotals(
            route: MessageRoute(row, from: 0), messages: Int(row.integer(2) ?? 0), bytes: Int(row.integer(3) ?? 0),
            nextDue: row.integer(4).map { Instant(milliseconds: $0) }))
        return true
      }
    }
    return totals.sorted { $0.route < $1.route }
  }

  package func apply(_ changes: [MessageChange]) throws(StoreError) {
    try write { try $0.apply(changes) }
  }

  package func dueMessages(
    of route: MessageRoute, after position: MessagePosition?, through: Instant, limit: Int
  ) throws(StoreError) -> MessagePage {
    var page = MessagePage()
    var bytes = 0
    try read { database in
      let content = try PreparedStatement(MessageQuery.content, in: database)
      page.isLast = try database.forEachMessage(of: route, after: position, through: through) { summary in
        guard page.messages.count < limit, bytes < MessagePage.maximumBytes else { return false }
        bytes += summary.bytes
        _ = try content.forEachRow({ $0.bind(summary.sequence) }) { row in
          let content = PendingMessage.Content(properties: row.bytes(0) ?? [], body: row.bytes(1) ?? [])
          page.messages.append(PendingMessage(summary: summary, content: content))
          return true
        }
        return true
      }
    }
    return page
  }

  package func pendingMessages(
    of route: MessageRoute, after position: MessagePosition?, through: Instant, limit: Int
  ) throws(StoreError) -> [PendingMessage.Summary] {
    var messages: [PendingMessage.Summary] = []
    try read { database in
      _ = try database.forEachMessage(of: route, after: position, through: through) { summary in
        guard messages.count < limit else { return false }
        messages.append(summary)
        return true
      }
    }
    return messages
  }

  package func pendingMessages(
    withID messageID: [UInt8], limit: Int
  ) throws(StoreError) -> [PendingMessage.Summary] {
    var messages: [PendingMessage.Summary] = []
    try read { database in
      let key = MessageKey(messageID, secret: try database.secret)
      let nextKey = try PreparedStatement(MessageQuery.nextKey, in: database)
      let byID = try PreparedStatement(MessageQuery.byID, in: database)
      var next = try nextKey.integer { $0.bind(0 as Int64) }
      while let found = next, messages.count < limit {
        let stretch = MessageKey.stretch(of: found)
        _ = try byID.forEachRow({ $0.bind(key.key(in: stretch)) }) { row in
          let summary = PendingMessage.Summary(row, route: MessageRoute(row, from: 7))
          if summary.messageID == messageID { messages.append(summary) }
          return messages.count < limit
        }
        next = try nextKey.integer { $0.bind(MessageKey.end(of: stretch)) }
      }
    }
    return messages
  }
}

extension Database {
  /// Reads messages of a route in the order in which they are due until `body` returns false. Returns whether all were read.
  fileprivate func forEachMessage(
    of route: MessageRoute, after position: MessagePosition?, through: Instant,
    _ body: (PendingMessage.Summary) throws -> Bool
  ) throws -> Bool {
    guard let id = try routeID(route) else { return true }
    var first = Int64.min
    if let position {
      guard position.due <= through else { return true }
      let isRead = try forEachRow(
        MessageQuery.together,
        {
          $0.bind(id)
          $0.bind(position.due.milliseconds)
          $0.bind(position.sequence)
        }
      ) { try body(PendingMessage.Summary($0, route: route)) }
      guard isRead else { return false }
      guard position.due < through else { return true }
      first = position.due.milliseconds + 1
    }
    return try forEachRow(
      MessageQuery.later,
      {
        $0.bind(id)
        $0.bind(first)
        $0.bind(through.milliseconds)
      }
    ) { try body(PendingMessage.Summary($0, route: route)) }
  }

  func routeID(_ route: MessageRoute) throws -> Int64? {
    try PreparedStatement("SELECT id FROM messageRoute WHERE front = ? AND back = ?", in: self).integer {
      $0.bind(text: route.front)
      $0.bind(text: route.back)
    }
  }

  /// The secret under which hashes are stored.
  var secret: SipHash.Key {
    get throws {
      var key = SipHash.Key(0, 0)
      _ = try forEachRow("SELECT secretFirst, secretSecond FROM recollection") { row in
        key = SipHash.Key(UInt64(bitPattern: row.integer(0) ?? 0), UInt64(bitPattern: row.integer(1) ?? 0))
        return true
      }
      return key
    }
  }
}

extension PreparedStatement {
  /// The number in the first column of the first row; nil if there is none.
  func integer(_ bind: (inout ParameterValues) -> Void) throws -> Int64? {
    var value: Int64?
    _ = try forEachRow(bind) { row in
      value = row.integer(0)
      return false
    }
    return value
  }
}

extension MessageRoute {
  fileprivate init(_ row: ColumnValues, from column: Int) {
    self.init(
      front: String(decoding: row.bytes(column) ?? [], as: UTF8.self),
      back: String(decoding: row.bytes(column + 1) ?? [], as: UTF8.self))
  }
}

extension PendingMessage.Summary {
  /// From the columns of `MessageQuery.summary`.
  fileprivate init(_ row: ColumnValues, route: MessageRoute) {
    self.init(
      sequence: row.integer(0) ?? 0, route: route, due: Instant(milliseconds: row.integer(1) ?? 0),
      received: Instant(milliseconds: row.integer(2) ?? 0), routingKey: row.bytes(4) ?? [], messageID: row.bytes(5),
      owner: row.bytes(6), bytes: Int(row.integer(3) ?? 0))
  }
}
