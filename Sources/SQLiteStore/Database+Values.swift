import GRDB
import GRDBSQLite

/// A prepared statement whose values go straight to SQLite and come straight from it. GRDB boxes each value, which on a
/// tick's way takes longer than what SQLite does with it.
struct PreparedStatement {
  /// Held, because GRDB's cache may let go of it meanwhile.
  private let owner: Statement
  private let statement: SQLiteStatement

  /// Looked up by its text among those that GRDB keeps prepared. Where many rows are written, once for all of them.
  init(_ sql: String, in database: Database) throws {
    owner = try database.cachedStatement(sql: sql)
    statement = owner.sqliteStatement
  }

  /// Runs it; returns how many rows an INSERT, UPDATE or DELETE changed.
  ///
  /// - Parameter bind: hands over the values of its parameters, in order.
  @discardableResult
  func run(_ bind: (inout ParameterValues) -> Void) throws -> Int {
    _ = try forEachRow(bind) { _ in true }
    return Int(sqlite3_changes(sqlite3_db_handle(statement)))
  }

  /// Runs a query until `body` returns false; says whether all rows were read.
  ///
  /// A row is valid only inside of `body`.
  func forEachRow(_ bind: (inout ParameterValues) -> Void, _ body: (ColumnValues) throws -> Bool) throws -> Bool {
    defer {
      sqlite3_reset(statement)
      sqlite3_clear_bindings(statement)
    }
    var parameters = ParameterValues(statement)
    bind(&parameters)
    guard parameters.status == SQLITE_OK else { throw failure }
    while true {
      switch sqlite3_step(statement) {
      case SQLITE_ROW: guard try body(ColumnValues(statement)) else { return false }
      case SQLITE_DONE: return true
      default: throw failure
      }
    }
  }

  private var failure: DatabaseError {
    let connection = sqlite3_db_handle(statement)
    return DatabaseError(
      resultCode: ResultCode(rawValue: sqlite3_extended_errcode(connection)),
      message: sqlite3_errmsg(connection).map { String(cString: $0) })
  }
}

extension Database {
  /// Runs a statement once, see `PreparedStatement.run`.
  @discardableResult
  func run(_ sql: String, _ bind: (inout ParameterValues) -> Void = { _ in }) throws -> Int {
    try PreparedStatement(sql, in: self).run(bind)
  }

  /// Runs a query once, see `PreparedStatement.forEachRow`.
  func forEachRow(
    _ sql: String, _ bind: (inout ParameterValues) -> Void = { _ in }, _ body: (ColumnValues) throws -> Bool
  ) throws -> Bool {
    try PreparedStatement(sql, in: self).forEachRow(bind, body)
  }
}

/// Takes the values of a statement's parameters, in order.
struct ParameterValues {
  /// SQLITE_TRANSIENT: SQLite copies the bytes at once.
  private static let copied = unsafeBitCast(-1, to: sqlite3_destructor_type.self)

  private let statement: SQLiteStatement
  private var last: CInt = 0
  /// The first failure of SQLite to take a value.
  fileprivate var status = SQLITE_OK

  fileprivate init(_ statement: SQLiteStatement) { self.statement = statement }

  mutating func bind(_ value: Int64?) {
    bind { statement, index in
      if let value { sqlite3_bind_int64(statement, index, value) } else { sqlite3_bind_null(statement, index) }
    }
  }

  mutating func bind(_ value: Int?) { bind(value.map { Int64($0) }) }
  mutating func bind(_ value: Bool?) { bind(value.map { $0 ? 1 : 0 } as Int64?) }

  mutating func bind(_ text: String?) {
    guard var text else { return bind(nil as Int64?) }
    text.withUTF8 { utf8 in
      utf8.withMemoryRebound(to: CChar.self) { characters in
        bind { sqlite3_bind_text($0, $1, characters.baseAddress, CInt(characters.count), Self.copied) }
      }
    }
  }

  mutating func bind(_ bytes: [UInt8]?) {
    guard let bytes else { return bind(nil as Int64?) }
    // Without an address it would be NULL.
    guard !bytes.isEmpty else { return bind { sqlite3_bind_zeroblob($0, $1, 0) } }
    bytes.withUnsafeBytes { buffer in
      bind { sqlite3_bind_blob($0, $1, buffer.baseAddress, CInt(buffer.count), Self.copied) }
    }
  }

  private mutating func bind(_ value: (SQLiteStatement, CInt) -> CInt) {
    last += 1
    let status = value(statement, last)
    if self.status == SQLITE_OK { self.status = status }
  }
}

/// The values of the row on which a statement stands, by column from 0. Nil where there is NULL or, in a damaged database,
/// a value of another type.
struct ColumnValues {
  private let statement: SQLiteStatement

  fileprivate init(_ statement: SQLiteStatement) { self.statement = statement }

  func integer(_ column: Int) -> Int64? {
    let value = value(column)
    return sqlite3_value_type(value) == SQLITE_INTEGER ? sqlite3_value_int64(value) : nil
  }

  func text(_ column: Int) -> String? {
    let value = value(column)
    return sqlite3_value_type(value) == SQLITE_TEXT ? String(decoding: bytes(of: value), as: UTF8.self) : nil
  }

  func bytes(_ column: Int) -> [UInt8]? {
    let value = value(column)
    return sqlite3_value_type(value) == SQLITE_BLOB ? Array(bytes(of: value)) : nil
  }

  func isNull(_ column: Int) -> Bool { sqlite3_value_type(value(column)) == SQLITE_NULL }

  /// Asked for once for type and content, since it is found under a lock. Unprotected, as SQLite calls it: no other thread
  /// uses this connection meanwhile.
  private func value(_ column: Int) -> OpaquePointer? { sqlite3_column_value(statement, CInt(column)) }

  private func bytes(of value: OpaquePointer?) -> UnsafeRawBufferPointer {
    // In this order: the first call may move what the second measures. Of either type the bytes are as they are stored.
    let start = sqlite3_value_blob(value)
    return UnsafeRawBufferPointer(start: start, count: Int(sqlite3_value_bytes(value)))
  }
}
