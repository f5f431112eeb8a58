import Foundation
import Testing

/// Takes the picture of the overview for operating.md and writes it to POCKETWATCH_TEST_PICTURE; ops/README.md has the command.
@Suite(
  "The manual's picture", .enabled(if: TestEnvironment.pictureFile != nil, "POCKETWATCH_TEST_PICTURE names the file"),
  .enabled(if: TestEnvironment.hasService, TestEnvironment.needsService),
  .enabled(if: Browser.isThere, Browser.isNeeded), .enabled(if: FakedClock.isAvailable, FakedClock.needsIt))
struct BrowserPictureTests {
  /// Schedules that a shop may have.
  private static let schedules = [
    ("billing/invoices", #""cron": "0 6 1 * *", "timezone": "Europe/Rome""#),
    ("billing/dunning", #""cron": "30 8 * * MON-FRI", "timezone": "Europe/Berlin""#),
    ("billing/trial-ends/4711", #""duration": "9d""#),
    ("carts/clean-up", #""cron": "*/15 * * * *""#),
    ("inventory/sync", #""every": "30s""#),
    ("reminders/appointment/81-2207", #""duration": "26h""#),
    ("reminders/appointment/81-2219", #""duration": "47h""#),
    ("reports/sales", #""cron": "0 7 * * *", "timezone": "America/New_York""#),
    ("retries/payment/90233", #""duration": "4h""#),
    ("retries/webhook/5512-3", #""duration": "190m""#),
  ]

  @Test("of a busy service that was away for ten minutes")
  func picture() async throws {
    let file = URL(filePath: try #require(TestEnvironment.pictureFile))
    try await ServiceProcess.prepared(stack: "shop") { service, bus in
      service.environment["POCKETWATCH_HTTP"] = "127.0.0.1:0"
      let clock = try await FakedClock(in: service.folder)
      clock.rule(service)
      try await service.start()
      let root = "http://" + (try await service.httpAddress())
      try await Browser.running { browser in
        let pages = BrowsedPages(browser: browser, service: service, bus: bus, root: root)
        for (id, members) in Self.schedules { try await pages.start(id, members) }
        try clock.set(offset: 600)  // as if the service had been away
        _ = try await bus.next("Schedule Tick", of: "inventory/sync")
        try await fillWithTicks(bus)
        try await reject(bus)
        try await browser.open(try await service.pageLink())
        try await browser.prefer("light")
        try await browser.resize(width: 1180, height: 690, scale: 1.5)
        try await pages.open("/")
        try await browser.screenshot().write(to: file)
      }
    }
  }

  private func fillWithTicks(_ bus: ServiceBus) async throws {
    for batch in 1...3 {
      let ids = (1...200).map { "retries/delivery/\(batch)\($0 + 100)" }
      try await bus.startAll(ids, #""duration": "1s""#)
      for id in ids { _ = try await bus.next("Schedule Tick", of: id) }
    }
  }

  private func reject(_ bus: ServiceBus) async throws {
    for (id, cron) in [("reports/quarter", "0 7 31 2 *"), ("reminders/birthday", "0 25 * * *")] {
      try await bus.start(#""id": "\#(id)", "cron": "\#(cron)""#)
      _ = try await bus.next("Schedule Rejected")
    }
  }
}
