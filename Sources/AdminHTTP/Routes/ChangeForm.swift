import Hummingbird
import Recurrence
import Scheduling

/// The fields of all forms. They are checked here as the scheduler would: it would reject the command after it was
/// published.
struct ChangeForm: Decodable {
  var id, group, prefix, reason, until, `for`, policy, count, confirm: String?

  /// The limit of a command's reason.
  private static let maximumReasonBytes = 1024

  func stopReason() throws -> String { try reason(or: "stopped from the admin page") }
  func pauseReason() throws -> String { try reason(or: "paused from the admin page") }

  private func reason(or fallback: String) throws -> String {
    guard let reason, !reason.isEmpty else { return fallback }
    guard reason.utf8.count <= Self.maximumReasonBytes else {
      throw HTTPError(.badRequest, message: "reason: longer than \(Self.maximumReasonBytes) bytes of UTF-8")
    }
    return reason
  }

  func misfirePolicy() throws -> MisfirePolicy? {
    guard let policy, !policy.isEmpty else { return nil }
    guard let known = MisfirePolicy(rawValue: policy) else {
      let names = MisfirePolicy.allCases.map(\.rawValue).joined(separator: ", ")
      throw HTTPError(.badRequest, message: "policy: one of \(names)")
    }
    return known
  }

  /// How many schedules were counted, and typed to confirm that.
  func confirmedCount(upTo largest: Int) throws -> Int {
    guard let count = count.flatMap({ Int($0) }), (1...largest).contains(count) else {
      throw HTTPError(.badRequest, message: "count: missing or invalid")
    }
    guard confirm == "\(count)" else {
      throw HTTPError(.badRequest, message: "confirm: type \(count), the number of schedules, to confirm")
    }
    return count
  }

  func pauseEnd(after now: Instant) throws -> Command.Pause.End? {
    let (until, length) = (until ?? "", self.for ?? "")
    guard until.isEmpty || length.isEmpty else {
      throw HTTPError(.badRequest, message: "until: not together with a duration")
    }
    if !length.isEmpty {
      do throws(ExpressionError) {
        return .after(try DurationExpression(length))
      } catch {
        throw HTTPError(.badRequest, message: "for: \(error.description)")
      }
    }
    guard !until.isEmpty else { return nil }
    guard let end = Instant(formText: until) else {
      throw HTTPError(.badRequest, message: "until: not a time such as 2030-12-31 08:00 (UTC) or 2030-12-31T08:00:00Z")
    }
    guard end > now else { throw HTTPError(.badRequest, message: "until: not in the future") }
    return .until(end)
  }
}

extension Instant {
  /// RFC 3339, or a time in UTC as people write it and browsers send it: `2030-12-31 08:00`, `2030-12-31T08:00:30`.
  fileprivate init?(formText text: String) {
    let time = text.replacing(" ", with: "T")
    guard let instant = ["", "Z", ":00Z"].lazy.compactMap({ Instant(rfc3339: time + $0) }).first else { return nil }
    self = instant
  }
}
