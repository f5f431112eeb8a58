import GRDB
import Recurrence
import Scheduling

extension Database {
  /// Makes changes of what is pending, and updates the totals of their routes once.
  func apply(_ changes: [MessageChange]) throws {
    var statements = try MessageStatements(self)
    for change in changes {
      switch change {
      case .keep(let message): try statements.keep(message)
      case .remove(let sequence): try statements.remove(sequence)
      case .move(let sequence, let due):
        try run("UPDATE pendingMessage SET due = ? WHERE sequence = ?") {
          $0.bind(due.milliseconds)
          $0.bind(sequence)
        }
      }
    }
    try statements.addTotals()
  }
}

/// The statements that write messages, prepared once per transaction.
private struct MessageStatements {
  private let database: Database
  private let insert, insertContent, delete, deleteContent: PreparedStatement
  private let secret: SipHash.Key
  private var last: Int64
  private var routes: [MessageRoute: Int64] = [:]
  /// By route; only of those that change.
  private var totals: [Int64: (messages: Int, bytes: Int)] = [:]

  init(_ database: Database) throws {
    self.database = database
    insert = try PreparedStatement(
      """
      INSERT INTO pendingMessage (sequence, route, due, received, bytes, idKey, routingKey, messageID, owner)
      VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
      """, in: database)
    insertContent = try PreparedStatement("INSERT INTO pendingContent VALUES (?, ?, ?)", in: database)
    delete = try PreparedStatement("DELETE FROM pendingMessage WHERE sequence = ? RETURNING route, bytes", in: database)
    deleteContent = try PreparedStatement("DELETE FROM pendingContent WHERE sequence = ?", in: database)
    secret = try database.secret
    last = try PreparedStatement("SELECT max(sequence) FROM pendingMessage", in: database).integer { _ in } ?? 0
  }

  mutating func keep(_ message: PendingMessage) throws {
    let summary = message.summary
    guard summary.sequence > last else {
      throw StoreError(.other, "The number \(summary.sequence) of a message is not above \(last), the last one kept.")
    }
    last = summary.sequence
    let route = try routeID(summary.route)
    try insert.run {
      $0.bind(summary.sequence)
      $0.bind(route)
      $0.bind(summary.due.milliseconds)
      $0.bind(summary.received.milliseconds)
      $0.bind(summary.bytes)
      $0.bind(summary.messageID.map { MessageKey($0, secret: secret).key(at: summary.sequence) })
      $0.bind(summary.routingKey)
      $0.bind(summary.messageID)
      $0.bind(summary.owner)
    }
    try insertContent.run {
      $0.bind(summary.sequence)
      $0.bind(message.content.properties)
      $0.bind(message.content.body)
    }
    totals[route, default: (0, 0)].messages += 1
    totals[route, default: (0, 0)].bytes += summary.bytes
  }

  mutating func remove(_ sequence: Int64) throws {
    var removed: (route: Int64, bytes: Int)?
    _ = try delete.forEachRow({ $0.bind(sequence) }) { row in
      removed = (row.integer(0) ?? 0, Int(row.integer(1) ?? 0))
      return true
    }
    guard let removed else { return }
    try deleteContent.run { $0.bind(sequence) }
    totals[removed.route, default: (0, 0)].messages -= 1
    totals[removed.route, default: (0, 0)].bytes -= removed.bytes
  }

  func addTotals() throws {
    for (route, change) in totals.sorted(by: { $0.key < $1.key }) {
      let changed = try database.run("UPDATE messageRoute SET messages = messages + ?, bytes = bytes + ? WHERE id = ?")
      {
        $0.bind(change.messages)
        $0.bind(change.bytes)
        $0.bind(route)
      }
      assert(changed == 1, "messages of a route that is not stored")
    }
  }

  private mutating func routeID(_ route: MessageRoute) throws -> Int64 {
    if let id = routes[route] { return id }
    try database.run("INSERT OR IGNORE INTO messageRoute (front, back) VALUES (?, ?)") {
      $0.bind(text: route.front)
      $0.bind(text: route.back)
    }
    guard let id = try database.routeID(route) else {
      throw StoreError(.corrupt, "The database is damaged: a route of messages is not found; restore a backup.")
    }
    routes[route] = id
    return id
  }
}
