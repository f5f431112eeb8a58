import Recurrence

/// The version of this program, and of the time zone data it works with.
package enum Version {
  package static let current = "0.1.0"

  /// For `--version`.
  package static var description: String {
    "pocketwatch \(current) (time zones \(ZoneDirectory().version ?? "of unknown version"))"
  }
}
