import Foundation
import Testing

/// The pages of a test's service, in a browser.
struct BrowsedPages {
  let browser: Browser
  let service: ServiceProcess
  let bus: ServiceBus
  /// `http://127.0.0.1:8472`.
  let root: String

  static let token = "0123456789abcdef-token"

  /// Runs `body` with a service that serves pages and a browser, and leaves nothing behind. Every entry in the browser's
  /// console is an issue.
  ///
  /// - Parameter prepare: Sets the service up before it starts.
  static func running(
    prepare: (ServiceProcess) throws -> Void = { _ in }, _ body: (BrowsedPages) async throws -> Void
  ) async throws {
    try await ServiceProcess.prepared { service, bus in
      service.environment["POCKETWATCH_HTTP"] = "127.0.0.1:0"
      try prepare(service)
      try await service.start()
      let root = "http://" + (try await service.httpAddress())
      try await Browser.running { browser in
        if service.environment["POCKETWATCH_HTTP_TOKEN_FILE"] == nil {
          // As its user does, through the link that the command prints.
          try await browser.open(try await service.pageLink())
          try await browser.shows("the overview") { try await browser.text("h1") == "Overview" }
        }
        try await body(BrowsedPages(browser: browser, service: service, bus: bus, root: root))
        let complaints = try await browser.complaints()
        #expect(complaints.isEmpty)
      }
    }
  }

  /// Lets the pages change schedules, with the token.
  static func allowChanges(_ service: ServiceProcess) throws {
    let file = service.folder.appending(path: "token")
    try Data((token + "\n").utf8).write(to: file)
    service.environment["POCKETWATCH_HTTP_TOKEN_FILE"] = file.path()
    service.environment["POCKETWATCH_HTTP_WRITE"] = "on"
  }

  func open(_ path: String) async throws { try await browser.open(root + path) }

  /// Opens the page of a schedule.
  func openSchedule(_ id: String) async throws {
    let id = id.addingPercentEncoding(withAllowedCharacters: .alphanumerics) ?? ""
    try await open("/schedule?id=\(id)")
  }

  /// Publishes a Schedule Start with this id and waits for its outcome.
  func start(_ id: String, _ members: String) async throws {
    let text = String(decoding: try JSONEncoder().encode(id), as: UTF8.self)
    try await bus.start("\"id\": \(text), \(members)")
    _ = try await bus.next("Schedule Started", of: id)
  }

  /// Publishes a Schedule Start that is rejected for its minute.
  func startRejected(_ id: String = "broken") async throws {
    try await bus.start(#""id": "\#(id)", "cron": "61 * * * *""#)
    _ = try await bus.next("Schedule Rejected", of: id)
  }

  /// The address of the page without its host.
  var place: String {
    get async throws { try await browser.address.replacing(root, with: "") }
  }
}

extension Browser {
  /// The texts whose contrast with their background is less than 4.5 to 1, the minimum of the WCAG.
  func hardToRead() async throws -> [String] {
    try await script(
      """
      const channels = (color) => color.match(/[\\d.]+/g).map(Number);
      const luminance = (color) => {
        const [red, green, blue] = color.slice(0, 3).map((channel) => channel / 255)
          .map((share) => share <= 0.03928 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4);
        return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
      };
      const behind = (element) => {
        for (; element; element = element.parentElement) {
          const color = channels(getComputedStyle(element).backgroundColor);
          if (color.length < 4 || color[3] > 0) return color;
        }
        return [255, 255, 255];
      };
      return Array.from(document.querySelectorAll("body *")).filter((element) => {
        if (!Array.from(element.childNodes).some((node) => node.nodeType === 3 && node.data.trim())) return false;
        const both = [channels(getComputedStyle(element).color), behind(element)].map(luminance).sort();
        return (Math.max(...both) + 0.05) / (Math.min(...both) + 0.05) < 4.5;
      }).map((element) => element.textContent.trim());
      """, as: [String].self)
  }

  /// By how many pixels the page is wider than the window.
  func overhang() async throws -> Int {
    try await script("return document.documentElement.scrollWidth - window.innerWidth", as: Int.self)
  }
}
