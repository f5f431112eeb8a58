import Scheduling

/// An error that ends the service: an exit code for a supervisor, a message for people.
package struct ServiceFailure: Error, Sendable, CustomStringConvertible {
  /// Exit codes of the process. Those of sysexits.h keep their meaning.
  package enum Code: Int32, CaseIterable, Sendable {
    /// A setting is missing or wrong (EX_CONFIG).
    case configuration = 78
    /// The operating system denied a thread, descriptor or memory (EX_OSERR).
    case system = 71
    /// Another process uses the database.
    case databaseInUse = 3
    /// Another service consumes the command queue.
    case commandsConsumedElsewhere = 4
    /// The database is damaged, foreign or written by a newer version. Requires an operator.
    case databaseUnusable = 5
    /// The disk failed. The database is checked at the next start.
    case storageFailed = 6
    /// The database was removed, moved or replaced while it was open, or has several names. A restart would use the wrong file, or
    /// a new, empty one. Requires an operator.
    case databaseMisplaced = 7
    /// The database cannot be opened or written now: its folder is missing (a late mount) or not accessible, or the disk is
    /// read-only. A later start may succeed.
    case databaseUnavailable = 8
  }

  package var code: Code
  package var description: String

  package init(_ code: Code, _ description: String) {
    self.code = code
    self.description = description
  }
}

extension ServiceFailure {
  /// The database cannot be opened. Supervisors restart the service unless a restart could make matters worse.
  init(atStart error: StoreError) {
    let code: Code =
      switch error.kind {
      case .locked: .databaseInUse
      case .inputOutput: .storageFailed
      case .corrupt, .foreign, .newer: .databaseUnusable
      case .misplaced: .databaseMisplaced
      case .full, .readOnly, .unreachable, .other: .databaseUnavailable
      }
    self.init(code, error.description)
  }

  /// An open database failed permanently. A restart may fix it, unless it is damaged.
  init(whileRunning error: StoreError) {
    let code: Code =
      switch error.kind {
      case .corrupt, .foreign: .databaseUnusable
      case .misplaced: .databaseMisplaced
      case .locked: .databaseInUse
      case .full, .readOnly, .inputOutput, .newer, .unreachable, .other: .storageFailed
      }
    self.init(code, error.description)
  }
}
