import HTTPTypes
import Hummingbird
import Recurrence
import Scheduling

/// Changes of a schedule: each form publishes the event that a client would.
extension AdminRoutes {
  /// Room for an id and a reason, percent-encoded.
  private static let maximumFormBytes = 16 * 1024

  func addChanges(to router: Router<BasicRequestContext>) {
    add(.stop, to: router) { form in .stop(reason: try form.reason(or: "stopped from the admin page")) }
    add(.start, to: router) { _ in .restart }
    add(.pause, to: router) { form in
      .pause(try form.pauseEnd(after: source.status.now), reason: try form.reason(or: "paused from the admin page"))
    }
    add(.resume, to: router) { form in .resume(policy: try form.misfirePolicy()) }
    add(.trigger, to: router) { form in
      guard form.confirm == "yes" else { throw HTTPError(.badRequest, message: "confirm: not confirmed") }
      return .trigger
    }
  }

  private func add(
    _ command: SentCommand, to router: Router<BasicRequestContext>,
    _ change: @escaping @Sendable (ChangeForm) throws -> ScheduleChange
  ) {
    router.post("/schedule/\(command)") { request, _ in
      let form = try await form(of: request)
      guard let id = form.id.flatMap(ScheduleID.init(validating:)) else {
        throw HTTPError(.badRequest, message: "id: missing or invalid")
      }
      try await source.publish(try change(form), of: id)
      return Response.redirect(ScheduleRow.link(to: id) + "&sent=\(command)")
    }
  }

  private func form(of request: Request) async throws -> ChangeForm {
    guard settings.allowsChanges else {
      throw HTTPError(
        .forbidden, message: "these pages are read-only; set POCKETWATCH_HTTP_WRITE=on to allow changes")
    }
    guard let body = try? await request.body.collect(upTo: Self.maximumFormBytes) else {
      throw HTTPError(.contentTooLarge, message: "the form is too long")
    }
    guard let form = try? URLEncodedFormDecoder().decode(ChangeForm.self, from: String(buffer: body)) else {
      throw HTTPError(.badRequest, message: "the form cannot be read")
    }
    return form
  }
}

/// The fields of all forms. They are checked here as the scheduler would: it would reject the command after it was
/// published.
private struct ChangeForm: Decodable {
  var id, reason, until, `for`, policy, confirm: String?

  /// The limit of a command's reason.
  private static let maximumReasonBytes = 1024

  func reason(or fallback: String) throws -> String {
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

  func pauseEnd(after now: Instant) throws -> ScheduleChange.PauseEnd? {
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
