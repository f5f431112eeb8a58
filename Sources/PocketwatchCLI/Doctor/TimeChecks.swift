import Foundation
import PocketwatchService
import Recurrence

/// Checks this machine's clock, which decides when ticks are sent.
struct ClockCheck {
  /// - Parameters:
  ///   - synchronization: The clock state according to the kernel.
  ///   - offset: This clock minus the broker's, in seconds; nil when unknown.
  static func findings(_ synchronization: SystemClock.Synchronization, offset: Double?) -> [Finding] {
    var findings: [Finding] = []
    switch synchronization {
    case .none:
      findings.append(
        .warning(
          .clock,
          "clock is not synchronised according to the kernel; ticks are early or late by its error",
          "apt-get install chrony, or timedatectl set-ntp true"))
    case .within(let milliseconds):
      findings.append(.ok(.clock, "clock is synchronised to \(milliseconds) ms or better"))
    case .unknown: break
    }
    guard let offset else {
      return findings + [.ok(.clock, "not compared with the broker's clock, which requires --management")]
    }
    let message = String(
      format: "this clock is %.0f s %@ the broker's", abs(offset), offset > 0 ? "ahead of" : "behind")
    let remedy = "synchronise both: timedatectl set-ntp true"
    switch abs(offset) {
    // The Date header has whole seconds.
    case ..<2: findings.append(.ok(.clock, "this clock and the broker's agree within 2 s"))
    case ..<60: findings.append(.warning(.clock, message, remedy))
    default: findings.append(.error(.clock, message, remedy))
    }
    return findings
  }

  /// Parses an HTTP Date, such as `Thu, 26 Nov 2026 02:55:11 GMT`, into seconds since 1970.
  static func seconds(ofHTTPDate text: String) -> Double? {
    let format = DateFormatter()
    format.locale = Locale(identifier: "en_US_POSIX")
    format.timeZone = TimeZone(secondsFromGMT: 0)
    format.dateFormat = "EEE, dd MMM yyyy HH:mm:ss 'GMT'"
    return format.date(from: text)?.timeIntervalSince1970
  }
}

/// Checks the time zone database.
struct ZoneCheck {
  /// - Parameters:
  ///   - version: Such as `2026a`; nil when unknown.
  ///   - canBeRead: Whether a zone that exists in every release can be read.
  static func findings(version: String?, canBeRead: Bool, year: Int) -> [Finding] {
    let update = "apt-get install --only-upgrade tzdata; the service reloads it within a minute"
    guard canBeRead else {
      return [
        .error(
          .zones, "the time zone database cannot be read: schedules with a timezone wait", "apt-get install tzdata")
      ]
    }
    guard let version else {
      return [.warning(.zones, "the time zone database has no version, so its age is unknown", update)]
    }
    guard let released = Int(version.prefix(4)), released < year - 1 else {
      return [.ok(.zones, "time zone database \(version)")]
    }
    return [
      .warning(
        .zones, "time zone database \(version) is \(year - released) years old: some rules have changed since", update)
    ]
  }

  static var findings: [Finding] {
    let zones = ZoneDirectory()
    return findings(
      version: zones.version, canBeRead: (try? zones.rules(named: "Europe/London")) != nil,
      year: Calendar(identifier: .gregorian).component(.year, from: Date()))
  }
}
