import Foundation
import Testing

/// The pages as people use them, with the pages' script and without.
@Suite(
  "The pages in a browser", .serialized, .enabled(if: TestEnvironment.hasService, TestEnvironment.needsService),
  .enabled(if: Browser.isThere, Browser.isNeeded))
struct BrowserPagesTests {
  @Test("the overview: state, due ticks, system status, problems", arguments: [true, false])
  func overview(scripts: Bool) async throws {
    try await BrowsedPages.running { pages in
      let browser = pages.browser
      try await pages.start("nightly", #""every": "30s""#)
      try await pages.startRejected()
      try await browser.allowScripts(scripts)
      try await pages.open("/")
      #expect(try await browser.text(".title .badge") == "ready")
      let tiles = try await browser.text(".tiles")
      for text in ["Next tick", "Due within a minute\n1", "Due within an hour\n1", "Rejected commands\n1"] {
        #expect(tiles.contains(text), "\(text) in \(tiles)")
      }
      let parts = try await browser.texts("#parts th")
      #expect(Set(parts).isSuperset(of: ["Broker, commands", "Broker, ticks", "Database", "Zone data"]))
      let problems = try await browser.text("#problems")
      #expect(problems.contains("rejected") && problems.contains("minute: 61 is not within 0-59"))
      #expect(try await browser.text("[aria-current]") == "Overview")
      try await browser.click("#problems a")
      #expect(try await browser.text("h1") == "Error 404", "a rejected schedule is none")
      _ = try await browser.complaints()  // that page is not found
    }
  }

  @Test("the list: search, order and pages, all of it in the address", arguments: [true, false])
  func list(scripts: Bool) async throws {
    try await BrowsedPages.running { pages in
      let browser = pages.browser
      let ids = (1...120).map { "job-\($0 + 100)" }
      try await pages.bus.startAll(ids, #""every": "1h""#)
      for id in ids { _ = try await pages.bus.next("Schedule Started", of: id) }
      try await pages.start("soon", #""every": "30m""#)
      try await pages.start("done", #""every": "1h""#)
      try await pages.bus.stop("done")
      _ = try await pages.bus.next("Schedule Stopped")
      try await browser.allowScripts(scripts)
      try await pages.open("/schedules")
      var seen = try await browser.texts("tbody th a")
      #expect(seen.first == "done" && seen.count == 50)
      while try await browser.count("[rel=next]") > 0, seen.count < 200 {
        try await browser.click("[rel=next]")
        seen += try await browser.texts("tbody th a")
      }
      #expect(seen == ["done"] + ids + ["soon"])
      try await browser.back()
      #expect(try await browser.texts("tbody th a").first == "job-150", "the browser goes back a page")
      try await browser.click(".pages a")
      #expect(try await browser.texts("tbody th a").first == "done", "and there is a way to the first")

      try await browser.fill("[name=prefix]", "job-11")
      try await browser.click("form button")
      let found = try await browser.texts("tbody th a")
      #expect(found == (0...9).map { "job-11\($0)" })
      try await browser.fill("[name=prefix]", "")
      try await browser.choose("[name=state]", "ended")
      try await browser.click("form button")
      #expect(try await browser.texts("tbody th a") == ["done"])
      try await browser.choose("[name=state]", "live")
      try await browser.choose("[name=sort]", "next")
      try await browser.click("form button")
      #expect(try await browser.texts("tbody th a").first == "soon", "what is due first comes first")
      let place = try await pages.place
      try await browser.reload()
      #expect(try await browser.texts("tbody th a").first == "soon")
      #expect(try await pages.place == place)
      #expect(try await browser.texts("option:checked") == ["live", "next"])
    }
  }

  @Test("one schedule: its Start event to copy, ten slots, clock changes", arguments: [true, false])
  func schedule(scripts: Bool) async throws {
    try await BrowsedPages.running { pages in
      let browser = pages.browser
      try await pages.start("rent", #""cron": "0 12 1 */2 *", "timezone": "Europe/Rome", "payload": {"sum": 1.0}"#)
      try await browser.allowScripts(scripts)
      try await pages.open("/schedules")
      try await browser.click("tbody th a")
      #expect(try await browser.text("h1") == "rent")
      #expect(try await browser.text(".title .badge") == "live")
      let facts = try await browser.text(".facts")
      for text in ["At 12:00, on day 1 of the month", "cron 0 12 1 */2 *", "Europe/Rome"] {
        #expect(facts.contains(text), "\(text)")
      }
      #expect(try await browser.count("#upcoming tr") == 10)
      let slots = try await browser.text("#upcoming")
      #expect(slots.contains(" 12:00:00 +02:00") && slots.contains(" 12:00:00 +01:00"))
      #expect(slots.contains("clocks go back by 60 minutes") && slots.contains("clocks go forward by 60 minutes"))
      let event = try await browser.text("pre")
      #expect(event.contains(#""payload":{"sum": 1.0}"#) && event.contains(#""DetailType":"Schedule Start""#))
      // Copied, it starts the same schedule.
      try await pages.bus.send("Schedule Start", event)
      #expect(try await pages.bus.next("Schedule Started", of: "rent").detail.replaced == true)
      #expect(try await browser.count("form") == 0, "the pages only show")
    }
  }

  @Test("preview: an expression in words and slots, and the errors of the command line", arguments: [true, false])
  func preview(scripts: Bool) async throws {
    try await BrowsedPages.running { pages in
      let browser = pages.browser
      try await browser.allowScripts(scripts)
      try await pages.open("/preview")
      try await browser.fill("[name=expression]", "30 2 * * *")
      try await browser.fill("[name=zone]", "Europe/Rome")
      try await browser.click("form button")
      #expect(try await browser.text(".message b") == "At 02:30 every day")
      #expect(try await browser.count("#slots tr") == 10)
      let notes = try await browser.text(".message.note")
      #expect(notes.contains("clocks go forward by 60 minutes: skipped times fire once, right after the change"))
      for (expression, zone) in [("61 * * * *", ""), ("* * * * *", "Europe/Nowhere"), ("every day", "")] {
        try await browser.fill("[name=expression]", expression)
        try await browser.fill("[name=zone]", zone)
        try await browser.click("form button")
        let words = try await browser.text("[role=alert]")
        var arguments = ["explain", expression]
        if !zone.isEmpty { arguments += ["--timezone", zone] }
        let answer = try await Program.run(TestEnvironment.binary, arguments)
        let first = String(answer.complaint.prefix { $0 != "\n" })
        #expect(answer.code != 0 && first.hasSuffix(words) && !words.isEmpty, "\(first)")
        let kept = try await browser.script(
          "return document.querySelector('[name=expression]').value", as: String.self)
        #expect(kept == expression)
      }
    }
  }

  @Test("recent events appear automatically with the script, and by a click without it", arguments: [true, false])
  func live(scripts: Bool) async throws {
    try await BrowsedPages.running { pages in
      let browser = pages.browser
      try await pages.start("before", #""every": "1h""#)
      try await browser.allowScripts(scripts)
      try await pages.open("/recent")
      #expect(try await browser.texts("#events tr").count == 1)
      if scripts { try await browser.shows("that it is live") { try await browser.text("#live") == "Live" } }
      try await browser.script("window.isTheSame = true")
      try await pages.start("beat", #""every": "1s", "limit": 2"#)
      _ = try await pages.bus.next("Schedule Stopped", of: "beat")
      if scripts {
        try await browser.shows("all that happened") { try await browser.count("#events tr") == 5 }
        #expect(try await browser.script("return window.isTheSame", as: Bool.self), "without being loaded again")
      } else {
        #expect(try await browser.count("#events tr") == 1)
        try await browser.click("#live a")
      }
      let rows = try await browser.texts("#events tr")
      #expect(rows.count == 5)
      let kinds = try await browser.texts("#events .badge")
      #expect(kinds == ["stopped", "tick", "tick", "started", "started"])
      #expect(rows.first?.contains("Count Limit Reached") == true && rows.last?.contains("before") == true)
      #expect(rows[1].firstMatch(of: /\d \d\d:\d\d:\d\d(\.\d+)?\s+\d+ ms/) != nil, "slot and lateness: \(rows[1])")
      // The script's rows look like those of the service.
      let written = try await browser.script("return document.getElementById('events').innerHTML", as: String.self)
      try await browser.reload()
      let served = try await browser.script("return document.getElementById('events').innerHTML", as: String.self)
      #expect(Self.bare(written) == Self.bare(served))
    }
  }

  /// HTML without invisible white space and without the confirm times, which may arrive later.
  private static func bare(_ html: String) -> String {
    html.replacing(/\s+/, with: " ").replacing("> <", with: "><")
      .replacing(/\ data-label="Confirmed in"><span>\d+ ms<\/span>/, with: ">")
  }

  @Test("a live page does not keep the service from stopping, and shows that it is no longer live")
  func shutdown() async throws {
    try await BrowsedPages.running { pages in
      let browser = pages.browser
      try await pages.open("/recent")
      try await browser.shows("that it is live") { try await browser.text("#live") == "Live" }
      #expect(try await pages.service.stop() == 0)
      try await browser.shows("that it is not live") { try await browser.text("#live").contains("Disconnected") }
      _ = try await browser.complaints()  // that the service is away
    }
  }
}
