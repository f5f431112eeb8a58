import Scheduling

/// Why the service ends by itself: a code for a supervisor, words for people.
package struct ServiceFailure: Error, Sendable, CustomStringConvertible {
  /// The process's exit codes. Those of sysexits.h keep their meaning.
  package enum Code: Int32, Sendable {
    /// A setting is missing or wrong (EX_CONFIG).
    case configuration = 78
    /// The operating system gave no thread, descriptor or memory (EX_OSERR).
    case system = 71
    /// Another process owns the database.
    case databaseInUse = 3
    /// Another service consumes the command queue.
    case commandsConsumedElsewhere = 4
    /// The database is damaged, foreign, written by a newer version, or cannot be opened: a person has to look.
    case databaseUnusable = 5
    /// The disk failed: start again, and the database is checked.
    case storageFailed = 6
  }

  package var code: Code
  package var description: String

  package init(_ code: Code, _ description: String) {
    self.code = code
    self.description = description
  }
}

extension ServiceFailure {
  /// What it means that the database cannot be opened: a start from the same place fails again, but on a disk that failed.
  init(atStart error: StoreError) {
    let code: Code =
      switch error.kind {
      case .locked: .databaseInUse
      case .inputOutput: .storageFailed
      case .full, .readOnly, .corrupt, .foreign, .newer, .other: .databaseUnusable
      }
    self.init(code, error.description)
  }

  /// What it means that an open database failed for good: another start may mend it, but not what is damaged.
  init(whileRunning error: StoreError) {
    let code: Code =
      switch error.kind {
      case .corrupt, .foreign: .databaseUnusable
      case .full, .readOnly, .inputOutput, .newer, .locked, .other: .storageFailed
      }
    self.init(code, error.description)
  }
}
