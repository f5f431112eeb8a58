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
      #expect(try await browser.count("form button") == 2)

      try await browser.click("#start summary")
      try await browser.click("#start button")
      #expect(try await browser.text("[role=status]").contains("Schedule Start published"))
      #expect(try await pages.bus.next("Schedule Started", of: id).detail.replaced == true)

      try await browser.click("#stop summary")
      try await browser.fill("[name=reason]", "seen <enough>")
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
