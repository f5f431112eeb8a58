import Foundation
import PocketwatchService
import Recurrence

/// The clock of this machine, by which ticks are sent.
struct ClockCheck {
  /// - Parameters:
  ///   - synchronization: What the kernel knows of who keeps its clock right.
  ///   - offset: This clock minus the broker's, in seconds; nil when that could not be had.
  static func findings(_ synchronization: SystemClock.Synchronization, offset: Double?) -> [Finding] {
    var findings: [Finding] = []
    switch synchronization {
    case .none:
      findings.append(
        .warning(
          .clock,
          "this machine's clock is not synchronised, as far as the kernel knows; ticks are as early or late as it is",
          "apt-get install chrony, or timedatectl set-ntp true"))
    case .within(let milliseconds):
      findings.append(.ok(.clock, "this machine's clock is synchronised, to \(milliseconds) ms or better"))
    case .unknown: break
    }
    guard let offset else {
      return findings + [.ok(.clock, "not compared with the broker's, which only --management shows")]
    }
    let words = String(format: "this clock is %.0f s %@ the broker's", abs(offset), offset > 0 ? "before" : "behind")
    let remedy = "synchronise both: timedatectl set-ntp true"
    switch abs(offset) {
    case ..<2: findings.append(.ok(.clock, "this clock and the broker's agree within 2 s"))  // it shows whole seconds
    case ..<60: findings.append(.warning(.clock, words, remedy))
    default: findings.append(.error(.clock, words, remedy))
    }
    return findings
  }

  /// The time of an HTTP answer's Date: `Thu, 26 Nov 2026 02:55:11 GMT`, in seconds since 1970.
  static func seconds(ofHTTPDate text: String) -> Double? {
    let format = DateFormatter()
    format.locale = Locale(identifier: "en_US_POSIX")
    format.timeZone = TimeZone(secondsFromGMT: 0)
    format.dateFormat = "EEE, dd MMM yyyy HH:mm:ss 'GMT'"
    return format.date(from: text)?.timeIntervalSince1970
  }
}

/// The rules of time zones.
struct ZoneCheck {
  /// - Parameters:
  ///   - version: Such as `2026a`; nil when the files do not say.
  ///   - canBeRead: Whether a zone that every release has can be read.
  static func findings(version: String?, canBeRead: Bool, year: Int) -> [Finding] {
    let update = "apt-get install --only-upgrade tzdata; the service notices within a minute"
    guard canBeRead else {
      return [
        .error(
          .zones, "the files of time zones cannot be read: schedules with a timezone wait", "apt-get install tzdata")
      ]
    }
    guard let version else {
      return [.warning(.zones, "the files of time zones do not say their version, and so not their age", update)]
    }
    guard let released = Int(version.prefix(4)), released < year - 1 else {
      return [.ok(.zones, "time zones of release \(version)")]
    }
    return [
      .warning(
        .zones, "time zones of release \(version), from \(year - released) years ago: some rules have changed", update)
    ]
  }

  static var findings: [Finding] {
    let zones = ZoneDirectory()
    return findings(
      version: zones.version, canBeRead: (try? zones.rules(named: "Europe/London")) != nil,
      year: Calendar(identifier: .gregorian).component(.year, from: Date()))
  }
}
