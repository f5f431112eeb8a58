import Recurrence

/// The version of this program, and of the time zone data it works with.
///
/// The one place that names it: `--version`, the log, the pages, `pocketwatch_build_info` and the AMQP client properties take
/// it from here. `VersionTests` compares it with the newest entry of `ops/docs/CHANGELOG.md` and with the descriptions in `ops/`.
package enum Version {
  /// By Semantic Versioning, <https://semver.org>.
  package static let current = "0.3.0"

  /// For `--version`.
  package static var description: String {
    "pocketwatch \(current) (time zones \(ZoneDirectory().version ?? "of unknown version"))"
  }
}
