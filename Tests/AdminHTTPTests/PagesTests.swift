import Recurrence
import Scheduling
import Synchronization
import Testing

@testable import AdminHTTP

@Suite("The pages")
struct PagesTests {
  /// Ids that are harmful in unescaped HTML.
  static let hostile = [
    "<script>alert(1)</script>", "\"><img src=x onerror=alert(1)>", "' onmouseover='alert(1)",
    "\"\u{301} autofocus onfocus=alert(1) x=\"",
    "<\u{200d}script>", "</title><script>", "{{id}} {{{id}}}", "a/../b", "..", "100%25", "a b+c&d=e#f?g",
    "é☕\u{202e}gnp",
    "--><!--", "\\", "https://evil.example/",
  ]

  @Test("hostile ids are escaped on every page, and their links work", arguments: hostile)
  func hostileIDs(id: String) async throws {
    let source = FakeSource([try .fake(id)])
    source.recent.append(
      RecentEvent(at: FakeSource.now, kind: .rejected, id: ScheduleID(stored: Array(id.utf8)), detail: id))
    let site = TestSite(settings: AdminSettings(token: fixedToken, allowsChanges: true), source: source)
    let headers = ["Accept": "text/html"]
    let escaped = HTMLText().escapeText(id)
    for path in [
      "/", "/recent", "/schedules", "/schedules?prefix=\(percentEncoded(id))", "/schedule?id=\(percentEncoded(id))",
      "/preview?expression=\(percentEncoded(id))&zone=\(percentEncoded(id))",
    ] {
      let answer = try await site.get(path, headers)
      #expect(answer.status == 200, "\(path)")
      #expect(answer.body.contains(escaped), "\(path)")
      #expect(isHarmless(answer.body), "\(path): \(answer.body)")
    }
    for path in ["/api/v1/schedules/\(percentEncoded(id))", "/api/v1/schedule?id=\(percentEncoded(id))"] {
      if path.hasSuffix("/..") { continue }
      #expect(try await site.get(path, headers).status == 200, "\(path)")
    }
  }

  /// Whether a page has no other tags and attributes than the templates.
  private func isHarmless(_ html: String) -> Bool {
    var scalars = Array(html.unicodeScalars)[...]
    while let start = scalars.firstIndex(of: "<") {
      scalars = scalars[(start + 1)...]
      guard let end = scalars.firstIndex(of: ">") else { return false }
      var tag = String(String.UnicodeScalarView(scalars[..<end]))
      if tag.hasPrefix("script") { guard tag == "script src=\"/assets/live.js\" defer" else { return false } }
      if tag.hasPrefix("img") { return false }
      // After removing quoted values, only attribute names may remain.
      while let open = tag.unicodeScalars.firstIndex(of: "\"") {
        let after = tag.unicodeScalars.index(after: open)
        guard let close = tag.unicodeScalars[after...].firstIndex(of: "\"") else { return false }
        tag.unicodeScalars.removeSubrange(open...close)
      }
      if tag.contains("on") && tag.contains("=alert") { return false }
      scalars = scalars[end...]
    }
    return true
  }

  @Test("a quote with a combining accent is escaped")
  func combining() {
    #expect(
      HTMLText().escapeText("\"\u{301}<\u{301}&\u{301}'\u{301}") == "&quot;\u{301}&lt;\u{301}&amp;\u{301}&#39;\u{301}")
  }

  @Test("the overview shows readiness, status and recent problems")
  func overview() async throws {
    let source = FakeSource()
    source.state.withLock { $0.reason = "the broker: refused" }
    source.recent.append(RecentEvent(at: FakeSource.now, kind: .missed, id: nil, detail: "5 folded"))
    // More than are retained: ticks do not evict problems.
    for _ in 1...60 { source.recent.append(RecentEvent(at: FakeSource.now, kind: .tick, id: nil)) }
    let body = try await TestSite(source: source).get("/").body
    for text in ["not ready: the broker: refused", "1000+", "&lt;b&gt;full&lt;/b&gt;", "5 folded", "Ticks sent", "42"] {
      #expect(body.contains(text), "\(text)")
    }
    #expect(!body.contains("badge tick"))
    let json = try await TestSite(source: source).get("/api/v1/overview").body
    #expect(json.contains(#""withinHour":{"count":1000,"isAtLeast":true}"#) && json.contains(#""ready":false"#))
  }

  @Test("paging lists every schedule once, in both orders, with any number of rows per read")
  func paging() async throws {
    let schedules = try (1...25).map { (number: Int) throws -> Schedule in
      let ended = number % 7 == 0 ? "done" : nil
      var schedule = try Schedule.fake(
        "s\(number)", generation: Int64(number), inSeconds: Int64(100 - number), ended: ended)
      if number % 2 == 0 { schedule.definition.group = "é & co" }
      if number % 5 == 0 { schedule.definition.tags = ["a", "+x"] }
      if number % 6 == 0 { schedule.control.pause = Schedule.Pause(since: FakeSource.now) }
      return schedule
    }
    for (query, expected) in [
      ("sort=id", 25), ("sort=next", 22), ("state=ended", 3), ("state=ended&prefix=s1", 1), ("state=live", 22),
      ("prefix=s2", 7), ("sort=next&prefix=s2", 6), ("state=paused", 4), ("state=paused&sort=next", 4),
      ("group=%C3%A9+%26+co", 12), ("group=e%CC%81+%26+co", 0), ("group=%C3%A9+%26+co&sort=next", 11),
      ("group=%C3%A9+%26+co&state=paused&prefix=s1", 2), ("tag=%2Bx", 5), ("tag=a&group=%C3%A9+%26+co", 2),
      ("tag=a&state=ended", 0), ("tag=x", 0), ("state=ended&group=%C3%A9+%26+co", 1),
    ] {
      for examining in [1, 3, 1000] {
        let source = FakeSource(schedules)
        source.state.withLock { $0.examining = examining }
        let site = TestSite(source: source)
        var seen: [String] = []
        var link: String? = "/api/v1/schedules?limit=2&\(query)"
        while let next = link {
          let body = try await site.get(next).body
          seen += body.matches(of: /"id":"(s\d+)"/).map { String($0.1) }
          link = body.firstMatch(of: /"nextLink":"([^"]+)"/).map { String($0.1) }
          if seen.count > 30 { break }
        }
        #expect(seen.count == expected && Set(seen).count == expected, "\(query) \(examining)")
        if query == "sort=next" { #expect(seen.first == "s25" && seen.last == "s1") }
        if query == "state=ended" { #expect(seen == ["s21", "s14", "s7"]) }
      }
    }
  }

  @Test(
    "an invalid query is rejected with a reason",
    arguments: [
      "state=x", "state=active", "sort=x", "sort=end", "group=" + String(repeating: "x", count: 201),
      "tag=" + String(repeating: "x", count: 65), "state=paused&after=e1.2", "group=x&after=d1.2", "limit=0",
      "limit=201", "limit=x", "after=x", "after=d1.2", "after=d1&sort=next",
      "after=ix&sort=next", "after=i", "after=e1.2", "state=ended&after=ix", "state=ended&after=d1.2",
      "state=ended&after=e1", "prefix=" + String(repeating: "x", count: 201),
    ])
  func badAddress(query: String) async throws {
    let answer = try await TestSite().get("/api/v1/schedules?\(query)")
    #expect(answer.status == 400 && answer.body.contains("error"))
  }

  @Test("a schedule's page lists its next slots with clock changes")
  func schedule() async throws {
    let start = try #require(Instant(rfc3339: "2027-03-27T01:30:00Z"))
    let seconds = (start.milliseconds - FakeSource.now.milliseconds) / 1000
    let source = FakeSource([
      try .fake("a", timezone: "Europe/Rome", inSeconds: seconds), try .fake("z", generation: 2, timezone: "No/Where"),
    ])
    let site = TestSite(source: source)
    let body = try await site.get("/schedule?id=a").body
    for text in [
      "At 02:30 every day", "cron 30 2 * * *", "Europe/Rome", "Sun 2027-03-28 03:00:00 +02:00",
      "<time datetime=\"2027-03-28T01:00:00.000Z\">2027-03-28 01:00:00</time>",
      "clocks go forward by 60 minutes", "Started by message", "m-1", "&quot;Schedule Start&quot;",
    ] { #expect(body.contains(text), "\(text)") }
    #expect(!body.contains("<form action=\"/schedule/"), "read-only")
    #expect(try await site.get("/schedule?id=z").body.contains("No/Where"))
    #expect(try await site.get("/schedule?id=none").status == 404)
    #expect(try await site.get("/schedule").status == 400)
    #expect(try await site.get("/schedule?id=%00").status == 400)
  }

  @Test("the next tick is shown with its due time and its slot")
  func jitter() async throws {
    var schedule = try Schedule.fake("a", inSeconds: -13)
    let slot = FakeSource.now.advanced(byMilliseconds: -13_000)
    schedule.progress.state = .live(.init(slot: slot, due: FakeSource.now.advanced(byMilliseconds: 11_000)))
    let site = TestSite(source: FakeSource([schedule]))
    for path in ["/schedule?id=a", "/schedules"] {
      let body = try await site.get(path).body
      #expect(
        body.contains("in 11 seconds") && !body.contains("13 seconds ago<") && body.contains("slot <bdi>"), "\(path)")
    }
  }

  @Test("a paused schedule's page shows since when, until when and why, and offers to resume it")
  func paused() async throws {
    var schedule = try Schedule.fake("a", inSeconds: 3600)
    let pause = Schedule.Pause(
      since: FakeSource.now.advanced(byMilliseconds: -7_200_000),
      until: FakeSource.now.advanced(byMilliseconds: 10_800_000), reason: "<night>")
    schedule.control.pause = pause
    schedule.control.revision = 17
    (schedule.definition.group, schedule.definition.tags) = ("b&c", ["x y", "<t>"])
    schedule.definition.description = "sends <invoices>"
    let source = FakeSource([schedule, try .fake("b", generation: 2)])
    let site = TestSite(settings: AdminSettings(token: fixedToken, allowsChanges: true), source: source)
    let page = try await site.get("/schedule?id=a").body
    for text in [
      #"<span class="badge paused">paused</span>"#, "<dt>Resumes</dt><dd>in 3 hours", "2 hours ago",
      "<dt>Pause reason</dt><dd><bdi>&lt;night&gt;</bdi>", "<dt>Revision</dt><dd>17</dd>", "sends &lt;invoices&gt;",
      #"<a href="/schedules?group=b%26c"><bdi>b&amp;c</bdi></a>"#,
      #"<a href="/schedules?tag=x%20y"><bdi>x y</bdi></a>"#,
      "&lt;t&gt;", "action=\"/schedule/resume\"", "Change the pause", "action=\"/schedule/trigger\"",
      "Next slots after the pause",
    ] { #expect(page.contains(text), "\(text)") }
    #expect(!page.contains("Next tick") && !page.contains("End reason"))
    let live = try await site.get("/schedule?id=b").body
    #expect(live.contains("action=\"/schedule/pause\"") && !live.contains("action=\"/schedule/resume\""))
    #expect(
      live.contains("Next tick") && !live.contains("Group") && !live.contains("<dt>Paused")
        && !live.contains("<dt>Tags"))

    let list = try await site.get("/schedules?state=paused&group=b%26c&tag=x+y").body
    for text in [
      "resumes in 3 hours", "group <bdi>b&amp;c</bdi>", "&lt;night&gt;", "<option selected>paused</option>",
      #"name="group" value="b&amp;c""#, #"name="tag" value="x y""#,
    ] { #expect(list.contains(text), "\(text)") }
    #expect(!list.contains("badge live"))
    schedule.control.pause?.until = nil
    source.state.withLock { [schedule] in $0.schedules = [schedule] }
    #expect(try await site.get("/schedules").body.contains("when it is resumed"))
    let open = try await site.get("/schedule?id=a").body
    #expect(open.contains("by command only") && open.contains("No slots."))
    #expect(try await site.get("/").body.contains("3 paused, 8 ended"))
  }

  @Test("the page of an ended schedule says that its payload is not retained, and how to start it again")
  func ended() async throws {
    let site = TestSite(
      settings: AdminSettings(token: fixedToken, allowsChanges: true),
      source: FakeSource([try .fake("a", ended: "done"), try .fake("b", generation: 2)]))
    let body = try await site.get("/schedule?id=a").body
    #expect(
      body.contains("payloads of ended schedules are not retained") && !body.contains("action=\"/schedule/start\""))
    let live = try await site.get("/schedule?id=b").body
    #expect(!live.contains("not retained") && live.contains("action=\"/schedule/start\""))
  }

  @Test(
    "durations are shown in a readable unit",
    arguments: [
      (0, "0 ms"), (-3, "-3 ms"), (999, "999 ms"), (1000, "1 s"), (2540, "2.5 s"), (2550, "2.6 s"), (-2540, "-2.5 s"),
      (9949, "9.9 s"), (9950, "10 s"), (23_972, "24 s"), (119_499, "119 s"), (119_500, "2 min"), (7_169_999, "119 min"),
      (7_170_000, "2 h"), (9_000_000, "3 h"), (.max, "2562047788015 h"), (.min, "-2562047788015 h"),
    ] as [(Int64, String)])
  func durations(milliseconds: Int64, text: String) {
    #expect(Moment.text(milliseconds: milliseconds) == text)
  }

  @Test("a schedule's page shows delivery results and origin")
  func history() async throws {
    var schedule = try Schedule.fake("a")
    schedule.origin = Origin(userID: "<i>billing")
    let source = FakeSource([schedule])
    let last = Schedule.Tally.Last(
      slot: FakeSource.now.advanced(byMilliseconds: -60_000), latenessMilliseconds: 3, confirmationMilliseconds: 2)
    source.state.withLock {
      $0.history = Schedule.History(
        beginning: Schedule.Beginning(at: FakeSource.now.advanced(byMilliseconds: -7_200_000)),
        tally: Schedule.Tally(missed: 11, repeats: 12, refusals: 13, returns: 14, last: last))
    }
    let site = TestSite(source: source)
    let body = try await site.get("/schedule?id=a").body
    for text in [
      "<dt>Missed slots</dt><dd>11</dd>", "<dt>Duplicates</dt><dd>12</dd>",
      "<dt>Nacked (retried)</dt><dd>13</dd>", "<dt>Unroutable</dt><dd>14</dd>",
      "3 ms late, confirmed in 2 ms",
      "2 hours ago", "&lt;i&gt;billing",
    ] { #expect(body.contains(text), "\(text)") }
    let json = try await site.get("/api/v1/schedule?id=a").body
    for text in [
      #""repeated":12"#, #""nacked":13"#, #""unroutable":14"#, #""latenessMilliseconds":3"#,
      #""user":"<i>billing""#,
    ] { #expect(json.contains(text), "\(text)") }
    source.state.withLock { $0.history = Schedule.History() }
    source.state.withLock { $0.schedules[0].origin = Origin() }
    let none = try await site.get("/schedule?id=a").body
    #expect(!none.contains("Last tick"))
    #expect(!none.contains("by login"))
  }

  @Test("the preview uses the wording of the command line")
  func preview() async throws {
    let site = TestSite()
    let good = try await site.get("/preview?expression=*/15+*+*+*+*&zone=Europe/Rome").body
    #expect(good.contains("Every 15 minutes") && good.contains("clocks go back by 60 minutes"))
    for (query, text) in [
      ("expression=60+*+*+*+*", "minute: 60 is not within 0-59 (character 1)"),
      ("expression=*+*+*+*+*&zone=Nix", "timezone: "), ("expression=x", "expression"),
    ] {
      #expect(try await site.get("/preview?\(query)").body.contains(HTMLText().escapeText(text)))
      let answer = try await site.get("/api/v1/preview?\(query.replacing("zone=", with: "timezone="))")
      #expect(answer.status == 400 && answer.body.contains(text))
    }
    #expect(try await site.get("/preview").status == 200)
  }

  @Test(
    "distances are shown in the largest unit with a count of at least two",
    arguments: [
      (0, "now"), (999, "now"), (1000, "in 1 second"), (119_000, "in 119 seconds"), (120_000, "in 2 minutes"),
      (7_199_000, "in 119 minutes"),
      (7_200_000, "in 2 hours"), (172_800_000, "in 2 days"), (-5000, "5 seconds ago"), (.max, "in the far future"),
      (.min, "long ago"),
    ] as [(Int64, String)])
  func distance(milliseconds: Int64, text: String) {
    let now = Instant(milliseconds: milliseconds == .max ? -1 : milliseconds == .min ? 1 : 0)
    #expect(Moment.distance(from: now, to: Instant(milliseconds: milliseconds)) == text)
  }
}
