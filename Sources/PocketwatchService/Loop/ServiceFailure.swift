import Scheduling

/// Why the service ends by itself: a code for a supervisor, words for people.
package struct ServiceFailure: Error, Sendable, CustomStringConvertible {
  /// The process's exit codes. Those of sysexits.h keep their meaning.
  package enum Code: Int32, CaseIterable, Sendable {
    /// A setting is missing or wrong (EX_CONFIG).
    case configuration = 78
    /// The operating system gave no thread, descriptor or memory (EX_OSERR).
    case system = 71
    /// Another process owns the database.
    case databaseInUse = 3
    /// Another service consumes the command queue.
    case commandsConsumedElsewhere = 4
    /// The database is damaged, foreign or written by a newer version: a person has to look.
    case databaseUnusable = 5
    /// The disk failed: start again, and the database is checked.
    case storageFailed = 6
    /// The database was removed, moved or replaced while it was open, or has several names. Another start would go on with
    /// the wrong file or a new, empty one: a person has to look.
    case databaseMisplaced = 7
    /// The database cannot be opened or written now: its folder is missing (a mount may be late) or not permitted, the disk is
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
  /// What it means that the database cannot be opened. Only what another start could make worse keeps a supervisor from it.
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

  /// What it means that an open database failed for good: another start may mend it, but not what is damaged.
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
