import GRDB
import GRDBSQLite

/// A prepared statement that binds and reads values through SQLite's own API. GRDB boxes each value, which for a tick takes
/// longer than SQLite's work.
struct PreparedStatement {
  /// Retained, because GRDB's cache may release it meanwhile.
  private let owner: Statement
  private let statement: SQLiteStatement

  /// Taken from GRDB's cache of prepared statements. To write many rows, make it once.
  init(_ sql: String, in database: Database) throws {
    owner = try database.cachedStatement(sql: sql)
    statement = owner.sqliteStatement
  }

  /// Runs the statement. Returns how many rows an INSERT, UPDATE or DELETE changed.
  ///
  /// - Parameter bind: Binds the values of its parameters, in order.
  @discardableResult
  func run(_ bind: (inout ParameterValues) -> Void) throws -> Int {
    _ = try forEachRow(bind) { _ in true }
    return Int(sqlite3_changes(sqlite3_db_handle(statement)))
  }

  /// Runs a query until `body` returns false. Returns whether all rows were read.
  ///
  /// A row is valid only inside `body`.
  func forEachRow(_ bind: (inout ParameterValues) -> Void, _ body: (ColumnValues) throws -> Bool) throws -> Bool {
    defer {
      sqlite3_reset(statement)
      sqlite3_clear_bindings(statement)
    }
    var parameters = ParameterValues(statement)
    bind(&parameters)
    guard parameters.status == SQLITE_OK else { throw failure }
    assert(parameters.count == sqlite3_bind_parameter_count(statement), "a statement's parameter has no value")
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

/// Binds the values of a statement's parameters, in order.
struct ParameterValues {
  /// SQLITE_TRANSIENT: SQLite copies the bytes at once.
  private static let copied = unsafeBitCast(-1, to: sqlite3_destructor_type.self)

  private let statement: SQLiteStatement
  fileprivate private(set) var count: CInt = 0
  /// The first error of a binding.
  fileprivate var status = SQLITE_OK

  fileprivate init(_ statement: SQLiteStatement) { self.statement = statement }

  mutating func bind(_ value: Int64?) {
    bind { statement, index in
      if let value { sqlite3_bind_int64(statement, index, value) } else { sqlite3_bind_null(statement, index) }
    }
  }

  mutating func bindNulls(_ count: Int) {
    for _ in 0..<count { bind(nil as Int64?) }
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

  /// Text stored as a blob of UTF-8.
  mutating func bind(text: String?) { bind(text.map { Array($0.utf8) }) }

  mutating func bind(_ bytes: [UInt8]?) {
    guard let bytes else { return bind(nil as Int64?) }
    // A blob without an address would be NULL.
    guard !bytes.isEmpty else { return bind { sqlite3_bind_zeroblob($0, $1, 0) } }
    bytes.withUnsafeBytes { buffer in
      bind { sqlite3_bind_blob($0, $1, buffer.baseAddress, CInt(buffer.count), Self.copied) }
    }
  }

  private mutating func bind(_ value: (SQLiteStatement, CInt) -> CInt) {
    count += 1
    let status = value(statement, count)
    if self.status == SQLITE_OK { self.status = status }
  }
}

/// The values of a statement's current row, by column from 0. Nil for NULL and, in a damaged database, for a value of another
/// type.
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

  /// Fetched once for type and content, because SQLite takes a lock for it. An "unprotected" value in SQLite's terms: no other
  /// thread uses this connection meanwhile.
  private func value(_ column: Int) -> OpaquePointer? {
    assert(0..<Int(sqlite3_data_count(statement)) ~= column, "the row has no such column")
    return sqlite3_column_value(statement, CInt(column))
  }

  private func bytes(of value: OpaquePointer?) -> UnsafeRawBufferPointer {
    // In this order: the first call may convert the value that the second measures. Neither converts stored text or blobs.
    let start = sqlite3_value_blob(value)
    return UnsafeRawBufferPointer(start: start, count: Int(sqlite3_value_bytes(value)))
  }
}
