import Foundation
import HTTPTypes
import Hummingbird
import HummingbirdCore
import Recurrence

/// `/api/v1`, as ops/openapi.yaml describes it.
extension AdminRoutes {
  func addAPI(to router: Router<BasicRequestContext>) {
    router.get("/api/v1/overview") { request, _ in
      try request.allowOnly()
      return Response.json(
        APIOverview(try await source.overview(), source.status, problems: source.recent.problems))
    }
    addSchedules(to: router)
    router.get("/api/v1/recent") { request, _ in
      try request.allowOnly("after")
      let after = try Self.number(request.value("after")) ?? 0
      return Response.json(APIRecent(source.recent.entries(after: after), last: source.recent.lastNumber))
    }
    router.get("/api/v1/preview") { request, _ in
      try request.allowOnly("expression", "timezone")
      return Response.json(try apiPreview(request))
    }
    let streams = EventStreams(source: source)
    router.get("/api/v1/events") { request, _ in
      try request.allowOnly("after")
      let after = try Self.number(request.headers.value("Last-Event-ID") ?? request.value("after"))
      return try streams.response(after: after) { checks.isAuthorized(request) }
    }
  }

  private func addSchedules(to router: Router<BasicRequestContext>) {
    router.get("/api/v1/schedules") { request, _ in
      try request.allowOnly(ScheduleQuery.parameters)
      let query = try listQuery(request.value)
      return Response.json(APIScheduleList(try await list(query), query))
    }
    router.get("/api/v1/schedules/{id}") { request, context in
      try request.allowOnly()
      return Response.json(try await apiSchedule(context.parameters.get("id")?.removingPercentEncoding))
    }
    // For ids such as `..`, which a path cannot carry.
    router.get("/api/v1/schedule") { request, _ in
      try request.allowOnly("id")
      return Response.json(try await apiSchedule(request.value("id")))
    }
  }

  private func apiSchedule(_ id: String?) async throws -> APIScheduleDetails {
    let details = try await details(id)
    return APIScheduleDetails(details, now: source.status.now, zone: zone(of: details.schedule))
  }

  private func apiPreview(_ request: Request) throws -> APIPreview {
    guard let expression = request.value("expression"), !expression.isEmpty else {
      throw HTTPError(.badRequest, message: "expression: missing")
    }
    do throws(ExpressionError) {
      let zone = request.value("timezone") ?? ""
      return APIPreview(
        try CronPreview(expression, zone: zone, now: source.status.now, rules: source.zone), expression: expression)
    } catch {
      throw HTTPError(.badRequest, message: error.description)
    }
  }
}

extension Request {
  /// Rejects unknown and repeated query parameters instead of ignoring them.
  fileprivate func allowOnly(_ names: String...) throws { try allowOnly(names) }

  fileprivate func allowOnly(_ names: [String]) throws {
    var seen: Set<String> = []
    for pair in (uri.query ?? "").split(separator: "&") {
      let text = String(pair.prefix { $0 != "=" })
      let name = text.removingPercentEncoding ?? text
      guard names.contains(name) else {
        let known = names.isEmpty ? "this request takes none" : "known: \(names.joined(separator: ", "))"
        throw HTTPError(.badRequest, message: "unknown parameter \(name.prefix(100)); \(known)")
      }
      guard seen.insert(name).inserted else { throw HTTPError(.badRequest, message: "\(name): given twice") }
    }
  }
}
