import Foundation
import HTTPTypes
import Hummingbird
import HummingbirdCore
import PrometheusMetrics
import Recurrence
import Scheduling

/// All addresses and what they answer.
struct AdminRoutes: Sendable {
  let settings: AdminSettings
  let source: any AdminSource
  let metrics: PrometheusRegistry
  let pages: Pages
  let checks: RequestChecks

  /// How often the source is asked for one page while it finds nothing: each time may take the engine 5 ms.
  static let mostAsks = 20

  init(settings: AdminSettings, source: any AdminSource, metrics: PrometheusRegistry) throws {
    self.settings = settings
    self.source = source
    self.metrics = metrics
    pages = try Pages()
    checks = RequestChecks(settings: settings)
  }

  func router() -> Router<BasicRequestContext> {
    let router = Router(options: .autoGenerateHeadEndpoints)
    router.add(middleware: AdminMiddleware(checks: checks, pages: pages))
    addHealth(to: router)
    addPages(to: router)
    addInterface(to: router)
    addChanges(to: router)
    addBackup(to: router)
    return router
  }

  private func addHealth(to router: Router<BasicRequestContext>) {
    router.get("/healthz") { _, _ in
      source.status.isAlive
        ? Response.text("ok\n", type: Self.plain)
        : Response.text("the engine stands still\n", type: Self.plain, status: .serviceUnavailable)
    }
    router.get("/readyz") { request, _ in
      let status = source.status
      let obstacle = status.isAlive ? status.obstacle : "the engine, which stands still"
      guard let obstacle else { return Response.text("ready\n", type: Self.plain) }
      // The reason names hosts, so it is for those who may see the rest.
      let words = checks.isAuthorized(request) ? "not ready: \(obstacle)\n" : "not ready\n"
      return Response.text(words, type: Self.plain, status: .serviceUnavailable)
    }
    router.get("/metrics") { _, _ in Response.text(metrics.text, type: PrometheusRegistry.contentType) }
    router.get("/assets/style.css") { _, _ in Response.text(Assets.style, type: "text/css; charset=utf-8") }
    router.get("/assets/icon.svg") { _, _ in Response.text(Assets.icon, type: "image/svg+xml") }
    router.get("/assets/live.js") { _, _ in Response.text(Assets.script, type: "text/javascript; charset=utf-8") }
  }

  private static let plain = "text/plain; charset=utf-8"

  private func addPages(to router: Router<BasicRequestContext>) {
    router.get("/") { _, _ in pages.response("overview", try await overview()) }
    router.get("/schedules") { request, _ in pages.response("schedules", try await schedules(request)) }
    router.get("/schedule") { request, _ in
      let sent = request.value("sent").flatMap(SentCommand.init)
      return pages.response("schedule", try await schedule(request.value("id"), sent: sent))
    }
    router.get("/recent") { request, _ in pages.response("recent", try recent(request)) }
    router.get("/preview") { request, _ in pages.response("preview", preview(request)) }
  }

  private func addInterface(to router: Router<BasicRequestContext>) {
    router.get("/api/v1/overview") { _, _ in Response.json(try await overview()) }
    router.get("/api/v1/schedules") { request, _ in Response.json(try await schedules(request)) }
    router.get("/api/v1/schedules/{id}") { _, context in
      Response.json(try await schedule(context.parameters.get("id")?.removingPercentEncoding))
    }
    // For ids such as `..`, which no path can hold.
    router.get("/api/v1/schedule") { request, _ in Response.json(try await schedule(request.value("id"))) }
    router.get("/api/v1/recent") { request, _ in Response.json(try recent(request)) }
    router.get("/api/v1/preview") { request, _ in
      let page = preview(request)
      var response = Response.json(page)
      if page.error != nil { response.status = .badRequest }
      return response
    }
    let streams = EventStreams(source: source)
    router.get("/api/v1/events") { request, _ in
      try streams.response(after: Self.number(request.headers.value("Last-Event-ID") ?? request.value("after")))
    }
  }

  private func overview() async throws -> OverviewPage {
    let overview = try await source.overview()
    return OverviewPage(overview, source.status, troubles: source.recent.troubles)
  }

  private func schedules(_ request: Request) async throws -> SchedulesPage {
    let query: ScheduleQuery
    do throws(AddressError) {
      query = try ScheduleQuery(request.value)
    } catch {
      throw HTTPError(.badRequest, message: error.words)
    }
    let now = source.status.now
    var rows: [ScheduleRow] = []
    var position = query.after
    for _ in 1...Self.mostAsks {
      let list = try await source.list(query.search, after: position, limit: query.limit - rows.count)
      rows += list.schedules.map { ScheduleRow($0, now: now, in: try? zone(of: $0).get()) }
      position = list.next
      if position == nil || rows.count >= query.limit { break }
    }
    return SchedulesPage(query, rows, next: position)
  }

  private func schedule(_ text: String?, sent: SentCommand? = nil) async throws -> SchedulePage {
    guard let id = text.flatMap(ScheduleID.init(validating:)) else {
      throw HTTPError(.badRequest, message: "id: 1 to 200 bytes of UTF-8 without control characters")
    }
    guard let details = try await source.schedule(id) else {
      throw AdminError(.notFound, "there is no schedule of this id, nor one that ended of late")
    }
    return SchedulePage(
      details, now: source.status.now, zone: zone(of: details.schedule), recent: source.recent.entries(),
      allowsChanges: settings.allowsChanges, sent: sent)
  }

  private func recent(_ request: Request) throws -> RecentPage {
    let after = try Self.number(request.value("after")) ?? 0
    return RecentPage(source.recent.entries(after: after), last: source.recent.lastNumber, now: source.status.now)
  }

  private func preview(_ request: Request) -> PreviewPage {
    PreviewPage(
      expression: request.value("expression") ?? "", zone: request.value("zone") ?? "", now: source.status.now,
      rules: source.zone)
  }

  private func zone(of schedule: Schedule) -> Result<ZoneRules, ExpressionError> {
    guard let name = schedule.definition.timezone else { return .success(.utc) }
    do throws(ExpressionError) {
      return .success(try source.zone(named: name))
    } catch {
      return .failure(error)
    }
  }

  private static func number(_ text: String?) throws -> Int? {
    guard let text, !text.isEmpty else { return nil }
    guard let number = Int(text), number >= 0 else { throw HTTPError(.badRequest, message: "after: not a number") }
    return number
  }
}

extension Request {
  /// A value of the query; the first of several. As forms send it: a space is a plus.
  func value(_ name: String) -> String? {
    for pair in (uri.query ?? "").split(separator: "&") {
      let parts = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
      guard parts.count == 2, parts[0] == name else { continue }
      return parts[1].replacing("+", with: " ").removingPercentEncoding
    }
    return nil
  }
}
