/// Why a store operation failed.
package struct StoreError: Error, Hashable, Sendable, CustomStringConvertible {
  package enum Kind: Hashable, Sendable {
    /// No space, or no permission to write, for now. Nothing was changed, and the same call may succeed later.
    case full, readOnly
    /// The disk failed. Whether the last transaction is stored is unknown: end the process and reopen.
    case inputOutput
    /// The file is damaged, is not one of our databases, was written by a newer version, or is in use by another
    /// process.
    case corrupt, foreign, newer, locked
    /// The file was moved or removed, or has another name: what is written could be lost.
    case misplaced
    /// The folder is missing, or has no file that can be opened: a mount may be late, or the path is wrong.
    case unreachable
    /// Anything else; handled like `inputOutput`.
    case other
  }

  package var kind: Kind
  /// What happened, where and what to do, in a sentence or two.
  package var description: String

  package init(_ kind: Kind, _ description: String) {
    self.kind = kind
    self.description = description
  }

  /// Whether the same call may succeed later in this process.
  package var isPassing: Bool { kind == .full || kind == .readOnly }
}
