import Foundation
import Recurrence
import Scheduling
import SchedulingTestKit
import Synchronization
import Testing

@testable import AdminHTTP

@Suite("/api/v1")
struct APITests {
  /// The JSON object of a response.
  private func object(_ site: TestSite, _ path: String) async throws -> [String: Any] {
    let answer = try await site.get(path)
    #expect(answer.status == 200, "\(path): \(answer.body)")
    return try #require(try JSONSerialization.jsonObject(with: Data(answer.body.utf8)) as? [String: Any])
  }

  @Test("a schedule has the fields of its Start as typed values")
  func schedule() async throws {
    let due = FakeSource.now.advanced(byMilliseconds: 70_000)
    let definition = Definition(
      id: try #require(ScheduleID(validating: "a b")), timing: .every(try DurationExpression("10s")), limit: 9,
      timezone: "Europe/Rome", startDate: FakeSource.now, endDate: due.advanced(byMilliseconds: 1_000_000),
      jitter: try DurationExpression("30s"), misfirePolicy: .skip, catchupWindow: try DurationExpression("1h"),
      ifExists: .keep)
    let schedule = Schedule(
      definition: definition, origin: Origin(), generation: 1, counter: 7,
      state: .live(Schedule.NextTick(slot: due.advanced(byMilliseconds: -10_000), due: due, missed: 2)))
    let site = TestSite(source: FakeSource([schedule]))
    let details = try await object(site, "/api/v1/schedules/a%20b")
    let found = try #require(details["schedule"] as? [String: Any])
    #expect(found["every"] as? String == "10s" && found["cron"] == nil && found["limit"] as? Int == 9)
    #expect(found["jitter"] as? String == "30s" && found["misfirePolicy"] as? String == "skip")
    #expect(found["catchupWindow"] as? String == "1h" && found["ifExists"] as? String == "keep")
    #expect(found["startDate"] as? String == FakeSource.now.rfc3339 && found["counter"] as? Int == 7)
    let next = try #require(found["nextTick"] as? [String: Any])
    #expect(next["due"] as? String == due.rfc3339 && next["missed"] as? Int == 2)
    #expect(next["slot"] as? String == due.advanced(byMilliseconds: -10_000).rfc3339)
    #expect((details["upcoming"] as? [[String: Any]])?.count == 2, "as far as the limit permits")
    let list = try await object(site, "/api/v1/schedules")
    #expect((list["schedules"] as? [[String: Any]])?.first?["jitter"] as? String == "30s")
    #expect(list["nextLink"] == nil)
  }

  @Test("a paused schedule is a live one with its pause and no next tick")
  func paused() async throws {
    var definition = Definition(
      id: try #require(ScheduleID(validating: "a")), timing: .every(try DurationExpression("1h")), group: "billing",
      tags: ["x", "é"], description: "sends invoices")
    let until = FakeSource.now.advanced(byMilliseconds: 5_400_000)
    let slot = FakeSource.now.advanced(byMilliseconds: 60_000)
    definition.startDate = slot
    definition.target = Target(
      exchange: "orders", detailType: "Invoice Due", headers: [.init(name: "n", value: .integer(2))], priority: 3)
    var schedule = Schedule(
      definition: definition, origin: Origin(), generation: 1, counter: 7,
      state: .live(Schedule.NextTick(slot: slot, due: until)))
    schedule.control.revision = 4
    schedule.control.pause = Schedule.Pause(since: FakeSource.now, until: until, reason: "night")
    let source = FakeSource([schedule])
    let site = TestSite(source: source)
    let details = try await object(site, "/api/v1/schedules/a")
    let found = try #require(details["schedule"] as? [String: Any])
    #expect(found["state"] as? String == "paused" && found["nextTick"] == nil && found["revision"] as? Int == 4)
    #expect(
      found["pause"] as? [String: String]
        == ["since": FakeSource.now.rfc3339, "until": until.rfc3339, "reason": "night"])
    #expect(found["group"] as? String == "billing" && found["tags"] as? [String] == ["x", "é"])
    #expect(found["note"] as? String == "sends invoices" && found["description"] as? String == "Every 1h")
    let target = try #require(found["target"] as? [String: Any])
    #expect(Set(target.keys) == ["exchange", "detailType", "headers", "priority"])
    #expect(target["exchange"] as? String == "orders" && target["headers"] as? [String: Int] == ["n": 2])
    let page = try await site.get("/schedule?id=a").body
    #expect(page.contains("<bdi>Invoice Due</bdi> to <bdi>orders</bdi>, key <code><bdi>Invoice Due</bdi></code>"))
    let upcoming = try #require(details["upcoming"] as? [[String: Any]])
    #expect(
      upcoming.first?["slot"] as? String == slot.advanced(byMilliseconds: 7_200_000).rfc3339,
      "the first after the end of the pause")

    schedule.control.pause?.until = nil
    source.state.withLock { [schedule] in $0.schedules = [schedule] }
    #expect((try await object(site, "/api/v1/schedule?id=a")["upcoming"] as? [Any])?.isEmpty == true)
    schedule.control.pause = nil
    source.state.withLock { [schedule] in $0.schedules = [schedule] }
    let resumed = try #require(try await object(site, "/api/v1/schedule?id=a")["schedule"] as? [String: Any])
    #expect(resumed["state"] as? String == "live" && resumed["pause"] == nil && resumed["nextTick"] != nil)
  }

  @Test("counts are numbers")
  func overview() async throws {
    let overview = try await object(TestSite(), "/api/v1/overview")
    let members = try #require(overview["due"] as? [String: Any])
    #expect((members["withinMinute"] as? [String: Any])?["count"] as? Int == 3)
    #expect((members["withinHour"] as? [String: Any])?["isAtLeast"] as? Bool == true)
    #expect((overview["schedules"] as? [String: Int]) == ["live": 1_234_567, "paused": 3, "ended": 8])
    #expect((overview["totals"] as? [String: Int]) == ["ticks": 42])
    #expect((overview["latenessMilliseconds"] as? [String: Int]) == ["p50": 1, "p99": 9])
    #expect(overview["title"] == nil, "no member of the page")
  }

  @Test(
    "an unknown or repeated parameter is rejected by name",
    arguments: [
      ("overview?x=1", "x"), ("schedules?limi=3", "limi"), ("schedules?limit=3&page=2", "page"),
      ("schedules/a?id=b", "id"), ("schedule?id=a&name=b", "name"), ("recent?before=1", "before"),
      ("preview?expression=@daily&zone=UTC", "zone"), ("events?from=1", "from"), ("schedules?limit=1&limit=2", "limit"),
      ("schedules?%6Cimi=3", "limi"), ("schedules?x", "x"),
    ])
  func unknownParameters(query: String, name: String) async throws {
    let answer = try await TestSite(source: FakeSource([try .fake("a")])).get("/api/v1/\(query)")
    #expect(answer.status == 400)
    let messages = ["parameter \(name);", "\(name): given twice"]
    #expect(messages.contains(where: answer.body.contains), "\(answer.body)")
  }

  @Test("known parameters may be empty, as forms submit them")
  func emptyParameters() async throws {
    let site = TestSite()
    for query in [
      "schedules?prefix=&group=&tag=&state=&sort=&limit=&after=", "recent?after=",
      "preview?expression=@daily&timezone=",
    ] {
      #expect(try await site.get("/api/v1/\(query)").status == 200, "\(query)")
    }
    #expect(try await site.get("/api/v1/preview").body.contains("expression: missing"))
  }
}
