import Foundation
import Testing

/// Stop and "start again" by a click.
@Suite(
  "Changes in a browser", .serialized, .enabled(if: TestEnvironment.hasService, TestEnvironment.needsService),
  .enabled(if: Browser.isThere, Browser.isNeeded))
struct BrowserChangesTests {
  @Test("with the token and the switch a schedule is started again and stopped on its page", arguments: [true, false])
  func stop(scripts: Bool) async throws {
    try await BrowsedPages.running(prepare: BrowsedPages.allowChanges) { pages in
      let browser = pages.browser
      let id = #"<b>"it"</b>"#
      try await pages.start(id, #""every": "1h""#)
      try await browser.allowScripts(scripts)
      // As whoever gives user and password when the browser asks.
      let login = pages.root.replacing("http://", with: "http://me:\(BrowsedPages.token)@")
      try await browser.open(login + "/")
      try await pages.openSchedule(id)
      #expect(try await browser.count("form button") == 4)

      try await browser.click("#start summary")
      try await browser.click("#start button")
      #expect(try await browser.text("[role=status]").contains("Schedule Start published"))
      #expect(try await pages.bus.next("Schedule Started", of: id).detail.replaced == true)

      try await browser.click("#stop summary")
      try await browser.fill("#stop [name=reason]", "seen <enough>")
      try await browser.click("#stop button")
      #expect(try await browser.text("[role=status]").contains("Schedule Stop published"))
      #expect(try await pages.bus.next("Schedule Stopped", of: id).detail.reason == "seen <enough>")
      try await pages.openSchedule(id)
      #expect(try await browser.text(".title .badge") == "ended")
      #expect(try await browser.text(".facts").contains("seen <enough>"))
      #expect(try await browser.count("form") == 0, "nothing is left to stop")
      #expect(!pages.service.log.contains { $0.contains(BrowsedPages.token) })
    }
  }

  @Test("a schedule is paused, triggered and resumed on its page", arguments: [true, false])
  func pause(scripts: Bool) async throws {
    try await BrowsedPages.running(prepare: BrowsedPages.allowChanges) { pages in
      let browser = pages.browser
      try await pages.start("a", #""every": "1h", "group": "g", "tags": ["x", "y"]"#)
      try await browser.allowScripts(scripts)
      try await browser.open(pages.root.replacing("http://", with: "http://me:\(BrowsedPages.token)@") + "/")
      try await pages.openSchedule("a")
      try await browser.resize(width: 320, height: 568, isPhone: true)
      try await browser.click("#pause summary")
      #expect(try await browser.overhang() <= 0, "the form fits a phone")
      try await browser.fill("#pause [name=for]", "150m")
      try await browser.fill("#pause [name=reason]", "night")
      try await browser.click("#pause button")
      #expect(try await browser.text("[role=status]").contains("Schedule Pause published"))
      #expect(try await pages.bus.next("Schedule Paused", of: "a").detail.reason == "night")
      try await pages.openSchedule("a")
      #expect(try await browser.text(".title .badge") == "paused")
      let tiles = try await browser.text(".tiles")
      #expect(tiles.contains("Resumes\nin 2 hours") && !tiles.contains("Next tick"))

      try await browser.click("#trigger summary")
      try await browser.click("#trigger button")
      #expect(try await browser.count("[role=status]") == 0, "the browser wants the check mark first")
      try await browser.click("#trigger [name=confirm]")
      try await browser.click("#trigger button")
      #expect(try await browser.text("[role=status]").contains("Schedule Trigger published"))
      _ = try await pages.bus.next("Schedule Triggered", of: "a")

      try await pages.open("/schedules")
      try await browser.fill("[name=group]", "g")
      try await browser.fill("[name=tag]", "y")
      try await browser.choose("[name=state]", "paused")
      try await browser.click("form button")
      #expect(try await browser.texts("tbody th a") == ["a"])
      try await pages.openSchedule("a")
      try await browser.click("#resume summary")
      try await browser.click("#resume button")
      #expect(try await browser.text("[role=status]").contains("Schedule Resume published"))
      _ = try await pages.bus.next("Schedule Resumed", of: "a")
      try await pages.openSchedule("a")
      #expect(try await browser.text(".title .badge") == "live")
    }
  }

  @Test("a group is paused at once when its number is typed", arguments: [true, false])
  func group(scripts: Bool) async throws {
    try await BrowsedPages.running(prepare: BrowsedPages.allowChanges) { pages in
      let browser = pages.browser
      for id in ["a", "b"] { try await pages.start(id, #""every": "1h", "group": "g""#) }
      try await browser.allowScripts(scripts)
      try await browser.open(pages.root.replacing("http://", with: "http://me:\(BrowsedPages.token)@") + "/")
      try await pages.open("/schedules")
      try await browser.fill("[name=group]", "g")
      try await browser.click("form button")
      try await browser.click("a[href^='/selection']")
      #expect(try await browser.text(".tiles").contains("Live schedules\n2"))
      try await browser.resize(width: 320, height: 568, isPhone: true)
      try await browser.click("#pause summary")
      #expect(try await browser.overhang() <= 0, "the form fits a phone")
      try await browser.fill("#pause [name=confirm]", "3")
      try await browser.click("#pause button")
      #expect(try await browser.count("[role=status]") == 0, "the browser wants the right number first")
      try await browser.fill("#pause [name=confirm]", "2")
      try await browser.click("#pause button")
      #expect(try await browser.text("[role=status]").contains("Schedule Pause published"))
      let done = try await pages.bus.next("Schedule Batch Done")
      #expect(done.detail.matched == 2 && done.detail.changed?.count == 2)
      try await pages.open("/selection?group=g")
      #expect(try await browser.text(".tiles").contains("Paused of these\n2"))
    }
  }

  @Test("live events come with the token, too")
  func live() async throws {
    try await BrowsedPages.running(prepare: BrowsedPages.allowChanges) { pages in
      let browser = pages.browser
      try await browser.open(pages.root.replacing("http://", with: "http://me:\(BrowsedPages.token)@") + "/")
      try await pages.open("/recent")
      try await browser.shows("that it is live") { try await browser.text("#live") == "Live" }
      try await pages.start("a", #""every": "1h""#)
      try await browser.shows("the new schedule") { try await browser.texts("#events bdi") == ["a"] }
    }
  }
}
