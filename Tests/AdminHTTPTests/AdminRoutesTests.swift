import CoreMetrics
import PrometheusMetrics
import Recurrence
import Scheduling
import Synchronization
import Testing

@testable import AdminHTTP

@Suite("Health, metrics, headers and changes")
struct AdminRoutesTests {
  private static let nothing = ["Authorization": ""]

  private func guarded(writes: Bool = true, source: FakeSource = FakeSource()) -> TestSite {
    TestSite(settings: AdminSettings(token: fixedToken, allowsChanges: writes), source: source)
  }

  @Test("an unavailable broker fails readiness, not health; a stalled engine fails both")
  func health() async throws {
    let source = FakeSource()
    let site = TestSite(source: source)
    #expect(try await site.get("/healthz").status == 200)
    #expect(try await site.get("/readyz").status == 200)
    source.state.withLock { $0.reason = "the broker: refused" }
    #expect(try await site.get("/healthz").status == 200)
    let unready = try await site.get("/readyz")
    #expect(unready.status == 503 && unready.body == "not ready: the broker: refused\n")
    #expect(try await site.get("/readyz", Self.nothing).body == "not ready\n", "a reason names hosts")
    source.state.withLock { $0.isAlive = false }
    #expect(try await site.get("/healthz").status == 503)
    #expect(try await site.get("/readyz").body.contains("engine stalled"))
  }

  @Test("every response has the security headers, also a 404")
  func headers() async throws {
    for path in ["/", "/healthz", "/metrics", "/assets/style.css", "/nowhere", "/api/v1/overview", "/schedule?id=x"] {
      let answer = try await TestSite().get(path)
      let policy = answer.header("Content-Security-Policy") ?? ""
      #expect(policy.contains("default-src 'none'") && policy.contains("frame-ancestors 'none'"), "\(path)")
      #expect(!policy.contains("unsafe"))
      #expect(answer.header("X-Content-Type-Options") == "nosniff")
      #expect(answer.header("Referrer-Policy") == "same-origin")
      #expect(answer.header("Cache-Control") == "no-store")
      #expect(answer.header("Access-Control-Allow-Origin") == nil)
    }
    #expect(try await TestSite().get("/nowhere").status == 404)
    #expect(try await TestSite().get("/nowhere", ["Accept": "text/html"]).body.contains("Error 404"))
  }

  @Test("no inline styles or scripts, which the policy forbids")
  func noInline() async throws {
    for path in ["/", "/schedules", "/recent", "/preview?expression=@daily"] {
      let body = try await TestSite().get(path).body
      #expect(!body.contains("style=") && !body.contains("<style") && !body.contains("onclick"))
    }
  }

  @Test("metrics are in Prometheus text format and require the configured token")
  func metrics() async throws {
    let site = guarded()
    Counter(label: "x_total", factory: site.metrics).increment()
    let refused = try await site.get("/metrics", Self.nothing)
    #expect(refused.status == 401 && refused.header("WWW-Authenticate")?.contains("Basic") == true)
    #expect(!refused.body.contains("x_total"))
    let answer = try await site.get("/metrics")
    #expect(answer.header("Content-Type") == "text/plain; version=0.0.4; charset=utf-8")
    #expect(answer.body.contains("x_total 1\n"))
  }

  @Test("an unavailable store is a 503 with the reason")
  func unavailable() async throws {
    let source = FakeSource()
    source.state.withLock { $0.error = AdminError(.unavailable, "the database: full") }
    for path in ["/", "/schedules", "/schedule?id=x"] {
      let answer = try await TestSite(source: source).get(path)
      #expect(answer.status == 503 && answer.body.contains("the database: full"))
    }
    #expect(try await TestSite(source: source).get("/recent").status == 200)
  }

  /// Published changes, as text.
  private func published(_ source: FakeSource) -> [String] {
    source.state.withLock { $0.changes.map { "\($0.id): \($0.change)" } }
  }

  @Test("changes require the setting, the token and a same-origin form")
  func changes() async throws {
    let source = FakeSource([try .fake("a b")])
    let site = guarded(source: source)
    let stopped = try await site.post("/schedule/stop", "id=a+b&reason=enough%21")
    #expect(stopped.status == 303 && stopped.header("Location") == "/schedule?id=a%20b&sent=stop")
    #expect(try await site.post("/schedule/start", "id=a%20b").status == 303)
    #expect(published(source) == [#"a b: stop(reason: "enough!")"#, "a b: restart"])
    #expect(try await site.post("/schedule/stop", "id=a", ["Origin": "https://evil.example"]).status == 403)
    #expect(try await site.post("/schedule/stop", "id=a", Self.nothing).status == 401)
    #expect(try await site.post("/schedule/stop", "reason=x").status == 400)
    #expect(try await site.get("/schedule/stop").status != 200)
    let long = "id=a&reason=" + String(repeating: "x", count: 20_000)
    #expect(try await site.post("/schedule/stop", long).status == 413)
    for path in ["stop", "start", "pause", "resume", "trigger"] {
      let form = "id=a&confirm=yes"
      #expect(try await guarded(writes: false).post("/schedule/\(path)", form).status == 403)
      #expect(try await site.post("/schedule/\(path)", form, Self.nothing).status == 401)
      #expect(try await site.post("/schedule/\(path)", "confirm=yes").body.contains("id: missing"))
    }
    #expect(published(source).count == 2)
    let page = try await site.get("/schedule?id=a%20b&sent=stop").body
    #expect(page.contains("action=\"/schedule/stop\"") && page.contains("Schedule Stop published"))
  }

  @Test("a group or a prefix is changed at once, with its number typed to confirm")
  func selection() async throws {
    let source = FakeSource([
      try .fake("a1"), try .fake("a2", generation: 2), try .fake("a3", generation: 3, ended: "enough"),
      try .fake("b", generation: 4),
    ])
    source.state.withLock { $0.examining = 1 }
    let site = guarded(source: source)
    #expect(try await site.get("/schedules?prefix=a").body.contains(#"href="/selection?prefix=a""#))
    for query in ["", "?prefix=a&group=g", "?prefix=a&tag=t", "?prefix=none"] {
      #expect(try await !site.get("/schedules\(query)").body.contains("/selection"), "\(query)")
    }
    let page = try await site.get("/selection?prefix=a&sent=pause").body
    #expect(page.contains("<dt>Live schedules</dt><dd>2</dd>") && page.contains("Schedule Pause published"))
    let prefix = BatchCommand.Selector.prefix(Array("a".utf8))
    for (form, action) in [
      ("pause", .pause(end: nil, reason: "paused from the admin page", time: nil)),
      ("pause?for=2h&reason=r", .pause(end: .after(try DurationExpression("2h")), reason: "r", time: nil)),
      ("resume?policy=fireAll", .resume(misfirePolicy: .fireAll, reason: nil)), ("stop?reason=r", .stop(reason: "r")),
    ] as [(String, BatchCommand.Action)] {
      let parts = form.split(separator: "?")
      let fields = "group=&prefix=a&count=2&confirm=2&" + (parts.count > 1 ? parts[1] : "")
      let answer = try await site.post("/selection/\(parts[0])", fields)
      #expect(answer.status == 303 && answer.header("Location") == "/selection?prefix=a&sent=\(parts[0])", "\(form)")
      let command = BatchCommand(selector: prefix, action: action, maximum: 2)
      #expect(source.state.withLock { $0.commands.last } == command, "\(form)")
      #expect(try await guarded(writes: false).post("/selection/\(parts[0])", fields).status == 403)
      #expect(try await site.post("/selection/\(parts[0])", fields, Self.nothing).status == 401)
    }
    let count = source.state.withLock { $0.commands.count }
    for fields in [
      "prefix=a&count=2", "prefix=a&count=2&confirm=3", "prefix=a&count=2&confirm=yes", "prefix=a&confirm=2",
      "prefix=a&count=0&confirm=0", "prefix=a&count=10001&confirm=10001", "count=2&confirm=2",
      "prefix=a&group=g&count=2&confirm=2",
    ] { #expect(try await site.post("/selection/stop", fields).status == 400, "\(fields)") }
    #expect(source.state.withLock { $0.commands.count } == count)
    for query in ["", "?prefix=", "?group=g&prefix=a", "?group=\(String(repeating: "g", count: 201))"] {
      #expect(try await site.get("/selection\(query)").status == 400, "\(query)")
    }
  }

  @Test("a selection that is too large, or that nothing matches, is not offered to be changed")
  func selectionsThatAreNotChanged() async throws {
    let large = SelectionPage(
      .prefix(Array("a".utf8)), SelectionPage.Count(live: 10_000, isAtLeast: true), allowsChanges: true)
    let page = try Pages().html("selection", large)
    #expect(page.contains("<dd>more than 10000</dd>") && page.contains("--max") && !page.contains("<form"))
    let source = FakeSource([try .fake("a")])
    let none = try await guarded(source: source).get("/selection?group=g").body
    #expect(none.contains("<dt>Live schedules</dt><dd>0</dd>") && !none.contains("<form"))
    let readOnly = try await guarded(writes: false, source: source).get("/selection?prefix=a").body
    #expect(readOnly.contains("<dt>Live schedules</dt><dd>1</dd>") && !readOnly.contains("<form"))
  }

  @Test("pause, resume and trigger are published as the forms say")
  func control() async throws {
    let source = FakeSource([try .fake("a")])
    let site = guarded(source: source)
    let hour = FakeSource.now.advanced(byMilliseconds: 3_600_000)
    let date = String(hour.rfc3339.prefix(16))  // as a browser sends local dates
    for (form, change) in [
      ("pause", .pause(nil, reason: "paused from the admin page")),
      ("pause?for=&until=&reason=", .pause(nil, reason: "paused from the admin page")),
      ("pause?for=2h+30m&reason=night", .pause(.after(try DurationExpression("2h 30m")), reason: "night")),
      ("pause?until=\(hour.rfc3339)&reason=n", .pause(.until(hour), reason: "n")),
      (
        "pause?until=2030-12-31T09:00:00%2B01:00&reason=n",
        .pause(.until(try #require(Instant(rfc3339: "2030-12-31T08:00:00Z"))), reason: "n")
      ),
      ("pause?until=\(date)&reason=n", .pause(.until(try #require(Instant(rfc3339: date + ":00Z"))), reason: "n")),
      (
        "pause?until=2030-12-31+08:00:30&reason=n",
        .pause(.until(try #require(Instant(rfc3339: "2030-12-31T08:00:30Z"))), reason: "n")
      ),
      ("resume", .resume(policy: nil)), ("resume?policy=", .resume(policy: nil)),
      ("resume?policy=fireAll", .resume(policy: .fireAll)), ("trigger?confirm=yes", .trigger),
    ] as [(String, ScheduleChange)] {
      let parts = form.split(separator: "?")
      let answer = try await site.post("/schedule/\(parts[0])", "id=a&" + (parts.count > 1 ? parts[1] : ""))
      #expect(answer.status == 303 && answer.header("Location") == "/schedule?id=a&sent=\(parts[0])", "\(form)")
      #expect(source.state.withLock { $0.changes.last?.change } == change, "\(form)")
      let page = try await site.get("/schedule?id=a&sent=\(parts[0])").body
      let notice = try #require(SentCommand(rawValue: String(parts[0]))?.notice)
      #expect(notice.hasPrefix("Schedule ") && page.contains(notice), "\(form)")
    }
  }

  @Test(
    "a form that the scheduler would reject publishes nothing",
    arguments: [
      ("pause", "for=2h&until=2030-01-01T00:00:00Z", "until: not together"), ("pause", "for=soon", "for: "),
      ("pause", "until=tomorrow", "until: not a time"),
      ("pause", "until=2001-01-01T00:00:00Z", "until: not in the future"),
      ("pause", "until=2030-02-30T00:00:00Z", "until: not a time"), ("resume", "policy=all", "policy: one of"),
      ("pause", "reason=" + String(repeating: "x", count: 1025), "reason: longer"), ("trigger", "", "confirm: "),
      ("trigger", "confirm=no", "confirm: "),
    ])
  func badForms(command: String, form: String, reason: String) async throws {
    let source = FakeSource([try .fake("a")])
    let answer = try await guarded(source: source).post("/schedule/\(command)", "id=a&\(form)")
    #expect(answer.status == 400 && answer.body.contains(reason), "\(answer.body)")
    #expect(published(source).isEmpty)
  }

  @Test("a Stop's reason is limited in bytes as by the scheduler, before it is published")
  func reasons() async throws {
    let source = FakeSource([try .fake("a")])
    let family = "👩‍👩‍👧‍👦"  // one character of 25 bytes
    for (reason, status) in [
      (String(repeating: "x", count: 1024), 303), (String(repeating: "x", count: 1025), 400),
      (String(repeating: family, count: 40), 303), (String(repeating: family, count: 41), 400),
    ] {
      let form = "id=a&reason=\(percentEncoded(reason))"
      let answer = try await guarded(source: source).post("/schedule/stop", form)
      #expect(answer.status == status)
      if status == 400 { #expect(answer.body.contains("reason: longer than 1024 bytes")) }
    }
    let lengths = source.state.withLock { state in
      state.changes.map { if case .stop(let reason) = $0.change { reason.utf8.count } else { 0 } }
    }
    #expect(lengths == [1024, 1000], "nothing is truncated")
  }

  @Test("recent events can be listed after a number")
  func recent() async throws {
    let source = FakeSource()
    for number in 1...60 {
      source.recent.append(RecentEvent(at: FakeSource.now, kind: .stopped, id: nil, detail: "w\(number)."))
    }
    let site = TestSite(source: source)
    let all = try await site.get("/api/v1/recent").body
    #expect(all.contains("w60.") && all.contains("w11.") && !all.contains("w10."), "fifty are retained")
    let some = try await site.get("/api/v1/recent?after=58").body
    #expect(some.contains("w59.") && !some.contains("w58."))
    #expect(try await site.get("/api/v1/recent?after=60").body.contains(#""events":[]"#))
    #expect(try await site.get("/api/v1/recent?after=-1").status == 400)
  }
}
