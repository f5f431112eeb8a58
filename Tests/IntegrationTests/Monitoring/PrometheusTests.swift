import Foundation
import Testing

/// Metrics, alerts and dashboard with a real Prometheus, configured as documented.
@Suite(
  "The service: Prometheus", .serialized, .enabled(if: TestEnvironment.hasService, TestEnvironment.needsService),
  .enabled(if: PrometheusServer.isThere, PrometheusServer.isNeeded))
struct PrometheusTests {
  private static let monitoring = PrivateBroker.root.appending(path: "ops/monitoring")

  /// The scrape configuration of ops/docs/operating.md with the address of this service, scraped each second.
  private func configuration(_ service: ServiceProcess, tokenFile: String? = nil) async throws -> String {
    let manual = try String(
      contentsOf: PrivateBroker.root.appending(path: "ops/docs/operating.md"), encoding: .utf8)
    var scrape = String(try #require(manual.firstMatch(of: /```yaml\n(scrape_configs:[^`]*)```/)).output.1)
    try replace("127.0.0.1:8472", with: try await service.httpAddress(), in: &scrape)
    if let tokenFile {
      try replace("# authorization:", with: "authorization:", in: &scrape)
      try replace("/etc/prometheus/pocketwatch-token", with: tokenFile, in: &scrape)
    }
    return """
      global: {scrape_interval: 1s, evaluation_interval: 1s}
      rule_files: ["\(Self.monitoring.appending(path: "alerts.yml").path())"]
      \(scrape)
      """
  }

  private func replace(_ text: String, with other: String, in whole: inout String) throws {
    try #require(whole.contains(text), "operating.md has another scrape configuration")
    whole = whole.replacing(text, with: other)
  }

  @Test("it scrapes, counts ticks, evaluates the alerts, and every dashboard panel has data")
  func scraped() async throws {
    try await ServiceProcess.prepared { service, bus in
      service.environment["POCKETWATCH_HTTP"] = "127.0.0.1:0"
      try await service.start()
      try await PrometheusServer.running(configuration(service)) { prometheus in
        try await prometheus.sees("the service") { try await prometheus.value(#"up{job="pocketwatch"}"#) == 1 }
        try await prometheus.sees("no tick") { try await prometheus.value("pocketwatch_ticks_published_total") == 0 }
        try await bus.start(#""id": "beat", "every": "1s", "limit": 3"#)
        _ = try await bus.next("Schedule Stopped", of: "beat")
        try await prometheus.sees("three ticks") {
          try await prometheus.value("pocketwatch_ticks_published_total") == 3
        }
        // A scrape at the third tick may have read one series before it and the other after it.
        try await prometheus.sees("the lateness of three") {
          try await prometheus.value("pocketwatch_tick_lateness_seconds_count") == 3
        }
        try await prometheus.sees("a Start") {
          try await prometheus.value(#"pocketwatch_commands_total{type="start",result="started"}"#) == 1
        }
        try await prometheus.sees("the time zone data's version") {
          try await prometheus.query("pocketwatch_build_info").first?.metric["tzdata"] != nil
        }
        try await bus.start(#""id": "on", "every": "5s""#)  // so that a tick is always due soon
        try await checkAlerts(prometheus)
        try await checkDashboard(prometheus)
        try await prometheus.sees("a scrape without an error") {
          let targets = try await prometheus.targets
          return targets.map(\.health) == ["up"] && targets.map(\.lastError) == [""]
        }
      }
    }
  }

  private func checkAlerts(_ prometheus: PrometheusServer) async throws {
    try await prometheus.sees("each alert evaluated") { try await !prometheus.rules.map(\.health).contains("unknown") }
    let rules = try await prometheus.rules
    #expect(rules.count >= 10)
    for rule in rules { #expect(rule.health == "ok", "\(rule.name): \(rule.lastError ?? "")") }
    // On a busy machine ticks and transactions may take long, which is pending for minutes then.
    try await prometheus.sees("that all is well") {
      try await prometheus.query(#"ALERTS{alertname!~"PocketwatchTicksLate|PocketwatchSlowDisk"}"#).isEmpty
    }
  }

  /// Each panel has data with the labels that its legend names.
  private func checkDashboard(_ prometheus: PrometheusServer) async throws {
    for panel in try Dashboard(Self.monitoring.appending(path: "dashboard.json")).panels {
      for target in panel.targets ?? [] {
        let query = Dashboard.query(target.expr)
        try await prometheus.sees("\(panel.title): \(query)") { try await !prometheus.query(query).isEmpty }
        for sample in try await prometheus.query(query) {
          for label in (target.legendFormat ?? "").matches(of: /\{\{([a-z_]+)\}\}/).map({ String($0.output.1) }) {
            #expect(sample.metric[label] != nil, "\(panel.title) names \(label)")
          }
        }
      }
    }
  }

  @Test("it sends the token of its credentials_file")
  func token() async throws {
    try await ServiceProcess.prepared { service, _ in
      service.environment["POCKETWATCH_HTTP"] = "127.0.0.1:0"
      try BrowsedPages.allowChanges(service)
      try await service.start()
      try await PrometheusServer.running(configuration(service)) { prometheus in
        try await prometheus.sees("the refusal") { try await prometheus.targets.first?.health == "down" }
        #expect(try await prometheus.targets.first?.lastError.contains("401") == true)
      }
      let file = try #require(service.environment["POCKETWATCH_HTTP_TOKEN_FILE"])
      try await PrometheusServer.running(configuration(service, tokenFile: file)) { prometheus in
        try await prometheus.sees("the service") { try await prometheus.value(#"up{job="pocketwatch"}"#) == 1 }
      }
    }
  }
}

/// There is no Grafana here, so the file is checked against what Grafana requires of an imported dashboard.
@Suite("ops/monitoring/dashboard.json")
struct DashboardTests {
  private static let file = URL(filePath: #filePath).deletingLastPathComponent()
    .appending(path: "../../../ops/monitoring/dashboard.json")

  @Test("panels have ids and places of their own, within the grid")
  func panels() throws {
    let panels = try Dashboard(Self.file).panels
    #expect(Set(panels.map(\.id)).count == panels.count && panels.count > 10)
    for (index, panel) in panels.enumerated() {
      let place = panel.gridPos
      #expect(place.x >= 0 && place.w > 0 && place.x + place.w <= 24 && place.y >= 0 && place.h > 0, "\(panel.title)")
      for other in panels[(index + 1)...] { #expect(!place.overlaps(other.gridPos), "\(panel.title), \(other.title)") }
      #expect(["row", "stat", "timeseries"].contains(panel.type))
      #expect((panel.type == "row") == (panel.targets ?? []).isEmpty, "\(panel.title)")
      let references = panel.targets?.map(\.refId) ?? []
      #expect(Set(references).count == references.count, "\(panel.title)")
    }
    #expect(panels.first?.type == "row")
  }

  @Test("the data source is a variable, so that the import asks for none and every panel follows it")
  func source() throws {
    let dashboard = try Dashboard(Self.file)
    #expect(dashboard.schemaVersion >= 36, "from Grafana 9 on")
    #expect(!dashboard.title.isEmpty && !dashboard.uid.isEmpty && dashboard.uid.count <= 40)
    #expect(dashboard.__inputs == nil)
    #expect(dashboard.templating.list.first.map { [$0.name, $0.type] } == ["datasource", "datasource"])
    let chosen = Dashboard.Source(type: "prometheus", uid: "${datasource}")
    for variable in dashboard.templating.list.dropFirst() { #expect(variable.datasource == chosen, "\(variable.name)") }
    for panel in dashboard.panels where panel.type != "row" {
      #expect(panel.datasource == chosen, "\(panel.title)")
      for target in panel.targets ?? [] { #expect(target.datasource == nil || target.datasource == chosen) }
    }
    let known = Set(dashboard.templating.list.map(\.name) + ["__rate_interval"])
    for target in dashboard.panels.flatMap({ $0.targets ?? [] }) {
      let used = Set(target.expr.matches(of: /\$([A-Za-z_]+)/).map { String($0.output.1) })
      #expect(used.isSubset(of: known), "\(used)")
    }
  }
}
