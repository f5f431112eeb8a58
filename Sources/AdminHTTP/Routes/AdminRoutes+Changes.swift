import HTTPTypes
import Hummingbird
import Scheduling

/// Changes of a schedule: each form publishes the event that a client would.
extension AdminRoutes {
  /// Room for an id and a reason, percent-encoded.
  private static let maximumFormBytes = 16 * 1024

  func addChanges(to router: Router<BasicRequestContext>) {
    add(.stop, to: router) { form in .stop(reason: try form.stopReason()) }
    add(.start, to: router) { _ in .restart }
    add(.pause, to: router) { form in
      .pause(try form.pauseEnd(after: source.status.now), reason: try form.pauseReason())
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

  func form(of request: Request) async throws -> ChangeForm {
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
