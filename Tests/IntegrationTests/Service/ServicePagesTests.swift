import Foundation
import Testing

/// P24, P25: pages, health and metrics of the real service, as curl and promtool see them.
@Suite("The service: pages", .serialized, .enabled(if: TestEnvironment.hasService, TestEnvironment.needsService))
struct ServicePagesTests {
  private static let token = "0123456789abcdef-token"

  /// The address in the log; the system chose the port.
  private func address(_ service: ServiceProcess) async throws -> String { "http://\(try await service.httpAddress())" }

  /// The answer. A busy service may answer 503, after which a question is repeated.
  private func curl(_ arguments: String..., retries: Int = 5) async throws -> String {
    let options = ["--silent", "--max-time", "50"] + (retries > 0 ? ["--fail", "--retry", "\(retries)"] : [])
    return try await Program.run("/usr/bin/curl", options + arguments).output
  }

  /// As above; changes are not repeated. With --fail, since curl cannot truncate /dev/null for a repetition.
  private func status(_ arguments: String..., retries: Int = 5) async throws -> String {
    let retries = arguments.contains("--data") ? 0 : retries
    let options = ["--fail", "--retry", "\(retries)", "--output", "/dev/null", "--write-out", "%{http_code}"]
    return try await Program.run("/usr/bin/curl", ["--silent", "--max-time", "50"] + options + arguments).output
  }

  @Test("a schedule shows on its page, in the list, among recent events, and in metrics that promtool accepts")
  func seen() async throws {
    try await ServiceProcess.prepared { service, bus in
      service.environment["POCKETWATCH_HTTP"] = "127.0.0.1:0"
      try await service.start()
      let address = try await address(service)
      let token = try service.authorization()
      #expect(try await curl(address + "/readyz") == "ready")
      try await bus.start(#""id": "a <b>", "cron": "* * * * * *", "limit": 2, "payload": {"x": 1.0}"#)
      try await bus.start(#""id": "c", "cron": "61 * * * *""#)
      _ = try await bus.next("Schedule Rejected")
      _ = try await bus.next("Schedule Stopped")
      let overview = try await curl("--header", token, address + "/")
      #expect(overview.contains("ready") && overview.contains("minute: 61 is not within 0-59"))
      #expect(try await curl("--header", token, address + "/schedules").contains("a &lt;b&gt;"))
      let page = try await curl("--header", token, address + "/schedule?id=a%20%3Cb%3E")
      for text in [
        "Count Limit Reached", "Every second", "payloads of ended schedules are not retained", ">tick</span>",
      ] {
        #expect(page.contains(text), "\(text)")
      }
      var metrics = try await curl(address + "/metrics")
      // The last events may be here before their confirms are there.
      let end = ContinuousClock.now + .seconds(60)
      while !metrics.contains("\npocketwatch_confirms_outstanding 0\n"), ContinuousClock.now < end {
        metrics = try await curl(address + "/metrics")
      }
      for line in [
        "pocketwatch_ticks_published_total 2", #"pocketwatch_commands_total{result="started",type="start"} 1"#,
        #"pocketwatch_commands_total{result="rejected",type="start"} 1"#, "pocketwatch_confirms_outstanding 0",
        "pocketwatch_tick_lateness_seconds_count 2", #"pocketwatch_amqp_connected{connection="consumer"} 1"#,
      ] { #expect(metrics.contains("\n\(line)\n"), "\(line)\n\(metrics)") }
      if FileManager.default.isExecutableFile(atPath: "/usr/bin/promtool") {
        let file = service.folder.appending(path: "metrics")
        try Data((metrics + "\n").utf8).write(to: file)
        let judgement = try await Program.run("/bin/sh", ["-c", "promtool check metrics <\(file.path()) 2>&1"])
        #expect(judgement.code == 0 && judgement.output.isEmpty, "\(judgement.output)")
      }
      #expect(try await service.stop() == 0)
    }
  }

  @Test("with the token and the switch, changes are published on the bus")
  func changes() async throws {
    try await ServiceProcess.prepared { service, bus in
      let file = service.folder.appending(path: "token")
      try Data((Self.token + "\n").utf8).write(to: file)
      service.environment["POCKETWATCH_HTTP"] = "127.0.0.1:0"
      service.environment["POCKETWATCH_HTTP_TOKEN_FILE"] = file.path()
      service.environment["POCKETWATCH_HTTP_WRITE"] = "on"
      try await service.start()
      let address = try await address(service)
      try await bus.start(
        #""id": "s", "every": "1h", "payload": [1.0], "group": "g", "tags": ["x"], "description": "d""#)
      _ = try await bus.next("Schedule Started")
      #expect(try await status(address + "/") == "401")
      let authorized = ["--user", "me:\(Self.token)"]
      #expect(try await status(authorized[0], authorized[1], address + "/") == "200")
      func post(_ form: String, to command: String) async throws -> String {
        try await status(authorized[0], authorized[1], "--data", form, address + "/schedule/\(command)")
      }
      #expect(try await post("id=s&for=2h&reason=night", to: "pause") == "303")
      let paused = try await bus.next("Schedule Paused")
      #expect(paused.detail.reason == "night" && paused.detail.pausedUntil != nil)
      let list = try await curl(authorized[0], authorized[1], address + "/schedules?state=paused&group=g&tag=x")
      #expect(list.contains("night"))
      #expect(try await post("id=s&confirm=yes", to: "trigger") == "303")
      #expect(try await bus.next("Schedule Triggered").detail.tickId == bus.next("Schedule Tick").detail.tickId)
      #expect(try await post("id=s&policy=fireOnce", to: "resume") == "303")
      #expect(try await bus.next("Schedule Resumed").detail.paused == false)
      #expect(try await post("id=s&until=2099-01-01+00:00", to: "pause") == "303")
      #expect(try await bus.next("Schedule Paused").detail.pausedUntil == "2099-01-01T00:00:00.000Z")
      #expect(try await post("id=s", to: "start") == "303")
      let replaced = try await bus.next("Schedule Started")
      #expect(replaced.detail.replaced == true && replaced.payload == "[1.0]")
      #expect(replaced.detail.paused == false, "a restart ends a pause")
      #expect(
        replaced.detail.group == "g" && replaced.detail.tags == ["x"] && replaced.detail.description == "d")
      let form = "id=s&reason=enough"
      #expect(try await status(authorized[0], authorized[1], "--data", form, address + "/schedule/stop") == "303")
      #expect(try await bus.next("Schedule Stopped").detail.reason == "enough")
      #expect(try await status(authorized[0], authorized[1], "--data", "id=s", address + "/schedule/start") == "409")
      #expect(try await status("--data", "id=s", address + "/schedule/stop") == "401")
      #expect(!service.log.contains { $0.contains(Self.token) })
    }
  }

  @Test("without its broker it is alive and not ready, with the reason")
  func noBroker() async throws {
    let service = try ServiceProcess.make(broker: "amqp://127.0.0.1:1")
    service.environment["POCKETWATCH_HTTP"] = "127.0.0.1:0"
    try service.launch()
    try await service.logs("pages and metrics")
    try await service.logs("not ready: cannot reach the broker")
    let address = try await address(service)
    #expect(try await curl(address + "/healthz") == "ok")
    #expect(try await status(address + "/readyz", retries: 0) == "503")
    #expect(try await curl(address + "/readyz", retries: 0).contains("not ready: "))
    #expect(try await status("--header", service.authorization(), address + "/") == "200")
    #expect(try await service.stop() == 0)
    await service.dispose()
  }

  @Test("a port that is taken delays no tick: it is logged and retried until it is free")
  func taken() async throws {
    try await ServiceProcess.prepared { service, bus in
      let other = try ServiceProcess.make(broker: "amqp://127.0.0.1:1")
      other.environment["POCKETWATCH_HTTP"] = "127.0.0.1:0"
      try other.launch()
      try await other.logs("pages and metrics")
      service.environment["POCKETWATCH_HTTP"] = try await other.httpAddress()
      try await service.start()
      let complaint = try await service.logs("cannot listen on 127.0.0.1 port").message
      #expect(complaint.contains("Address already in use; retrying, ticks continue"))
      try await bus.start(#""id": "t", "every": "1s", "limit": 2"#)
      _ = try await bus.next("Schedule Stopped", of: "t")
      // A command does not show a service's token to another program on its port; here it is the same user's, and refuses it.
      let page = try await Program.run(TestEnvironment.binary, ["page"], environment: service.environment)
      #expect(page.code == 69 && page.complaint.contains("requires its token"), "\(page)")
      #expect(try await other.stop() == 0)
      try await service.logs("pages and metrics")
      #expect(try await status("--header", service.authorization(), "http://\(service.httpAddress())/") == "200")
      #expect(service.log.count { $0.contains("cannot listen on") } == 1)
      #expect(try await service.stop() == 0)
      await other.dispose()
    }
  }

  @Test("by default only the service's user sees payloads; `page` prints a link that works once")
  func exposure() async throws {
    try await ServiceProcess.prepared { service, bus in
      service.environment["POCKETWATCH_HTTP"] = "127.0.0.1:0"
      try await service.start()
      let address = try await address(service)
      try await bus.start(#""id": "s", "every": "1h", "payload": {"card": "4111"}"#)
      _ = try await bus.next("Schedule Started")
      let mode = try FileManager.default.attributesOfItem(atPath: service.database + ".token")[.posixPermissions]
      #expect(mode as? Int == 0o600)
      for path in ["/", "/schedules", "/schedule?id=s", "/recent", "/api/v1/schedule?id=s", "/api/v1/events"] {
        #expect(try await status(address + path) == "401", "\(path)")
      }
      #expect(try await status("--data", "", address + "/api/v1/backup") == "401")
      for path in ["/healthz", "/readyz", "/metrics"] {
        #expect(try await status(address + path) == "200", "\(path)")
      }
      let link = try await service.pageLink()
      #expect(link.hasPrefix(address + "/enter?code="))
      let jar = service.folder.appending(path: "cookies").path()
      #expect(try await status("--cookie-jar", jar, link) == "200")
      #expect(try await curl("--cookie", jar, address + "/schedule?id=s").contains("4111"))
      #expect(try await status(link) == "403")
      let code = try #require(link.split(separator: "=").last)
      let file = service.folder.appending(path: "copy.sqlite").path()
      let copy = try await Program.run(
        TestEnvironment.binary, ["backup", file], environment: try await service.clientEnvironment())
      #expect(copy.code == 0, "\(copy)")

      // Without the token there is no access. A removed token file is created again with another token, and sessions end.
      try FileManager.default.removeItem(atPath: service.database + ".token")
      var stranger = try await service.clientEnvironment()
      let refused = try await Program.run(TestEnvironment.binary, ["page"], environment: stranger)
      #expect(refused.code == 69 && refused.complaint.contains(service.database + ".token is missing"), "\(refused)")
      #expect(try await status("--cookie", jar, address + "/") == "401")
      #expect(try await status("--header", service.authorization(), address + "/") == "200")
      stranger["POCKETWATCH_HTTP"] = "off"
      #expect(try await Program.run(TestEnvironment.binary, ["page"], environment: stranger).code == 78)
      let token = try service.authorization().split(separator: " ").last ?? ""
      #expect(!service.log.contains { $0.contains(code) || $0.contains(token) })
      #expect(try await service.stop() == 0)
    }
  }
}
