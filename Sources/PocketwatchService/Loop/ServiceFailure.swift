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
    /// The disk failed while running: start again, and the database is checked.
    case storageFailed = 6
  }

  package var code: Code
  package var description: String

  package init(_ code: Code, _ description: String) {
    self.code = code
    self.description = description
  }
}
