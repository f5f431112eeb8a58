import HTTPTypes
import Hummingbird
import Scheduling

/// Stop and "start again": what changes something, by publishing the event that any client would.
extension AdminRoutes {
  /// A form holds an id, a reason and what percent-encoding makes of them.
  private static let maximumFormBytes = 16 * 1024

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
    guard settings.allowsChanges, settings.token != nil else {
      throw HTTPError(.forbidden, message: "this page only shows; POCKETWATCH_HTTP_WRITE=on and a token let it change")
    }
    guard let body = try? await request.body.collect(upTo: Self.maximumFormBytes) else {
      throw HTTPError(.contentTooLarge, message: "the form is too long")
    }
    guard let form = try? URLEncodedFormDecoder().decode(Form.self, from: String(buffer: body)),
      let id = form.id.flatMap(ScheduleID.init(validating:))
    else { throw HTTPError(.badRequest, message: "id: missing, or none") }
    let reason = form.reason ?? ""
    return (id, reason.isEmpty ? "stopped on the page" : String(reason.prefix(200)))
  }
}
