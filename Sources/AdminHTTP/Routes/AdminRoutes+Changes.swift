import HTTPTypes
import Hummingbird
import Scheduling

/// Stop and restart of a schedule: publishes the event that a client would.
extension AdminRoutes {
  /// Room for an id and a reason, percent-encoded.
  private static let maximumFormBytes = 16 * 1024
  /// The limit of a Schedule Stop's reason.
  private static let maximumReasonBytes = 1024

  private struct Form: Decodable {
    var id: String?
    var reason: String?
  }

  func addChanges(to router: Router<BasicRequestContext>) {
    router.post("/schedule/stop") { request, _ in
      let (id, reason) = try await target(of: request)
      try await source.stop(id, reason: reason)
      return Response.redirect(ScheduleRow.link(to: id) + "&sent=\(SentCommand.stop)")
    }
    router.post("/schedule/start") { request, _ in
      let (id, _) = try await target(of: request)
      try await source.startAgain(id)
      return Response.redirect(ScheduleRow.link(to: id) + "&sent=\(SentCommand.start)")
    }
  }

  private func target(of request: Request) async throws -> (id: ScheduleID, reason: String) {
    guard settings.allowsChanges else {
      throw HTTPError(
        .forbidden, message: "these pages are read-only; set POCKETWATCH_HTTP_WRITE=on to allow changes")
    }
    guard let body = try? await request.body.collect(upTo: Self.maximumFormBytes) else {
      throw HTTPError(.contentTooLarge, message: "the form is too long")
    }
    guard let form = try? URLEncodedFormDecoder().decode(Form.self, from: String(buffer: body)),
      let id = form.id.flatMap(ScheduleID.init(validating:))
    else { throw HTTPError(.badRequest, message: "id: missing or invalid") }
    let reason = form.reason ?? ""
    // The scheduler's own limit: it would reject the Stop after it was published.
    guard reason.utf8.count <= Self.maximumReasonBytes else {
      throw HTTPError(.badRequest, message: "reason: longer than \(Self.maximumReasonBytes) bytes of UTF-8")
    }
    return (id, reason.isEmpty ? "stopped from the admin page" : reason)
  }
}
