/// Why the store could not do what was asked.
package struct StoreError: Error, Hashable, Sendable, CustomStringConvertible {
  package enum Kind: Hashable, Sendable {
    /// No room, or no right to write, for now: nothing was changed, and the same call may succeed later.
    case full, readOnly
    /// The disk failed. Whether the last transaction holds is unknown: end the process and open anew.
    case inputOutput
    /// The file is damaged, is no database of ours, was written by a newer version, or belongs to another process.
    case corrupt, foreign, newer, locked
    /// The file is not where it was opened, or has other names beside this one: what is written could be lost.
    case misplaced
    /// There is no such folder, or nothing there that can be opened: a mount may be late, or the path is wrong.
    case unreachable
    /// Anything else; like `inputOutput` for the caller.
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
