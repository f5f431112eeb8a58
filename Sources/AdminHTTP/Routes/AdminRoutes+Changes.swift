import HTTPTypes
import Hummingbird
import Scheduling

/// Stop and "start again": what changes something, by publishing the event that any client would.
extension AdminRoutes {
  /// A form holds an id, a reason and what percent-encoding makes of them.
  private static let maximumFormBytes = 16 * 1024
  /// The longest reason of a Schedule Stop.
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
        .forbidden, message: "these pages are read-only; POCKETWATCH_HTTP_WRITE=on lets them change schedules")
    }
    guard let body = try? await request.body.collect(upTo: Self.maximumFormBytes) else {
      throw HTTPError(.contentTooLarge, message: "the form is too long")
    }
    guard let form = try? URLEncodedFormDecoder().decode(Form.self, from: String(buffer: body)),
      let id = form.id.flatMap(ScheduleID.init(validating:))
    else { throw HTTPError(.badRequest, message: "id: missing or invalid") }
    let reason = form.reason ?? ""
    // As the scheduler counts, which would reject the Stop after it was published.
    guard reason.utf8.count <= Self.maximumReasonBytes else {
      throw HTTPError(.badRequest, message: "reason: longer than \(Self.maximumReasonBytes) bytes of UTF-8")
    }
    return (id, reason.isEmpty ? "stopped on the page" : reason)
  }
}
