import GRDB

extension ServiceProcess {
  /// The problems that SQLite finds in the database of a service that has ended.
  func databaseComplaints() throws -> [String] {
    let words = try readDatabase { try String.fetchAll($0, sql: "PRAGMA integrity_check") }
    return words == ["ok"] ? [] : words
  }

  /// Reads from the database of a service that has ended.
  func readDatabase<Value>(_ body: (Database) throws -> Value) throws -> Value {
    var configuration = Configuration()
    configuration.readonly = true
    return try DatabaseQueue(path: database, configuration: configuration).read(body)
  }
}
