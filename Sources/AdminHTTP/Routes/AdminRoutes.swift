import Foundation
import HTTPTypes
import Hummingbird
import HummingbirdCore
import Logging
import PrometheusMetrics
import Recurrence
import Scheduling

/// The router: health, metrics, assets and pages here, the rest in extensions.
struct AdminRoutes: Sendable {
  let settings: AdminSettings
  let source: any AdminSource
  let metrics: PrometheusRegistry
  let pages: Pages
  let checks: RequestChecks

  /// The most reads for one page of a list. Each may take 5 ms of the engine's thread.
  static let maximumReads = 20

  init(settings: AdminSettings, source: any AdminSource, metrics: PrometheusRegistry, logger: Logger) throws {
    self.settings = settings
    self.source = source
    self.metrics = metrics
    pages = try Pages()
    checks = RequestChecks(settings: settings, access: Access(settings.token, logger: logger))
  }

  func router() -> Router<BasicRequestContext> {
    let router = Router(options: .autoGenerateHeadEndpoints)
    router.add(middleware: AdminMiddleware(checks: checks, pages: pages))
    addHealth(to: router)
    addAccess(to: router)
    addPages(to: router)
    addAPI(to: router)
    addChanges(to: router)
    addSelection(to: router)
    addBackup(to: router)
    return router
  }

  private func addHealth(to router: Router<BasicRequestContext>) {
    router.get("/healthz") { _, _ in
      source.status.isAlive
        ? Response.text("ok\n", type: Self.plain)
        : Response.text("engine stalled\n", type: Self.plain, status: .serviceUnavailable)
    }
    router.get("/readyz") { request, _ in
      let status = source.status
      guard let reason = status.reason else {
        return Response.text("ready\n", type: Self.plain)
      }
      let text = checks.maySeeReasons(request) ? "not ready: \(reason)\n" : "not ready\n"
      return Response.text(text, type: Self.plain, status: .serviceUnavailable)
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

  private func overview() async throws -> OverviewPage {
    let overview = try await source.overview()
    return OverviewPage(overview, source.status, problems: source.recent.problems)
  }

  private func schedules(_ request: Request) async throws -> SchedulesPage {
    let query = try listQuery(request.value)
    let now = source.status.now
    let list = try await list(query)
    let rows = list.schedules.map { ScheduleRow($0, now: now, in: try? zone(of: $0).get()) }
    return SchedulesPage(query, allowsChanges: settings.allowsChanges, rows, next: list.next)
  }

  /// - Parameter value: The value of a parameter, nil when it is absent.
  func listQuery(_ value: (String) -> String?) throws -> ScheduleQuery {
    do throws(QueryError) {
      return try ScheduleQuery(value)
    } catch {
      throw HTTPError(.badRequest, message: error.reason)
    }
  }

  /// A page of the list, in several short reads so that the engine's thread is never held for long.
  func list(_ query: ScheduleQuery) async throws -> ScheduleList {
    var all = ScheduleList(schedules: [], next: query.after)
    for _ in 1...Self.maximumReads {
      let list = try await source.list(query.search, after: all.next, limit: query.limit - all.schedules.count)
      all.schedules += list.schedules
      all.next = list.next
      if all.next == nil || all.schedules.count >= query.limit { break }
    }
    return all
  }

  func details(_ text: String?) async throws -> ScheduleDetails {
    guard let id = text.flatMap(ScheduleID.init(validating:)) else {
      throw HTTPError(.badRequest, message: "id: 1 to 200 bytes of UTF-8 without control characters")
    }
    guard let details = try await source.schedule(id) else {
      throw AdminError(.notFound, "no live or recently ended schedule has this id")
    }
    return details
  }

  private func schedule(_ text: String?, sent: SentCommand? = nil) async throws -> SchedulePage {
    let details = try await details(text)
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

  func zone(of schedule: Schedule) -> Result<ZoneRules, ExpressionError> {
    guard let name = schedule.definition.timezone else { return .success(.utc) }
    do throws(ExpressionError) {
      return .success(try source.zone(named: name))
    } catch {
      return .failure(error)
    }
  }

  static func number(_ text: String?) throws -> Int? {
    guard let text, !text.isEmpty else { return nil }
    guard let number = Int(text), number >= 0 else { throw HTTPError(.badRequest, message: "after: not a number") }
    return number
  }
}

extension Request {
  /// The first value of a query parameter. A plus is a space, as in a submitted form.
  func value(_ name: String) -> String? {
    for pair in (uri.query ?? "").split(separator: "&") {
      let parts = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
      guard parts.count == 2, parts[0] == name else { continue }
      return parts[1].replacing("+", with: " ").removingPercentEncoding
    }
    return nil
  }
}
