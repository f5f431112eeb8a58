import Foundation
import Testing

/// The look of the pages, and that foreign text cannot change it.
@Suite(
  "The pages' looks in a browser", .serialized,
  .enabled(if: TestEnvironment.hasService, TestEnvironment.needsService),
  .enabled(if: Browser.isThere, Browser.isNeeded))
struct BrowserLooksTests {
  /// Texts that would run, close an element or reverse their surroundings if they were not escaped.
  private static let hostile = [
    "<script>alert('id')</script>", #""><img src=x onerror="alert('id')">"#, "' autofocus onfocus='alert(1)",
    "</title></textarea><script>alert(1)</script>", "javascript:alert(1)//", "\u{202e}drow-thgir\u{2067}\u{200f}",
    "{{id}} {{{id}}} &lt;b&gt;", "\\\"; alert(1); //", "a b+c&d=e#f?g/../%2e%2e", "é☕👩‍👩‍👧‍👦",
    longWords, longWord,
  ]

  private static let longWords = String(repeating: "long ", count: 39) + "words"
  private static let longWord = String(repeating: "W", count: 200)

  private static let places = [
    "/", "/schedules", "/selection?prefix=r", "/recent", "/preview", "/preview?expression=0+0+*+*+*&zone=Europe/Rome",
  ]

  /// Every page, with content.
  private func visitAll(_ pages: BrowsedPages, _ look: (String) async throws -> Void) async throws {
    for place in Self.places {
      try await pages.open(place)
      try await look(place)
    }
    for id in ["rent", "quiet", Self.longWords, Self.longWord] {
      try await pages.openSchedule(id)
      try await look(id)
    }
  }

  private func fill(_ pages: BrowsedPages) async throws {
    try await pages.start("rent", #""cron": "30 2 * * *", "timezone": "America/Argentina/ComodRivadavia""#)
    let payload = String(repeating: "x", count: 500)
    for id in Self.hostile { try await pages.start(id, #""every": "1h", "payload": "\#(payload)""#) }
    let tags = (1...16).map { "\"\(String(repeating: "t", count: 48 + $0))\"" }.joined(separator: ", ")
    try await pages.start(
      "quiet",
      #""every": "1h", "paused": true, "group": "\#(Self.longWord)", "tags": [\#(tags)], "description": "\#(Self.longWords)""#
    )
    try await pages.start("beat", #""every": "1s", "limit": 1"#)
    _ = try await pages.bus.next("Schedule Stopped", of: "beat")
    try await pages.startRejected(String(repeating: "r", count: 200))
  }

  @Test("dark and light follow the reader's system, both with enough contrast")
  func schemes() async throws {
    try await BrowsedPages.running { pages in
      try await fill(pages)
      var backgrounds: Set<String> = []
      for scheme in ["light", "dark"] {
        try await pages.browser.prefer(scheme)
        try await visitAll(pages) { place in
          let hard = try await pages.browser.hardToRead()
          #expect(hard.isEmpty, "\(scheme) \(place)")
        }
        backgrounds.insert(
          try await pages.browser.script("return getComputedStyle(document.body).backgroundColor", as: String.self))
      }
      #expect(backgrounds.count == 2)
    }
  }

  @Test("nothing overflows to the side, on a phone or a screen", arguments: [(375, 812), (320, 568), (1280, 800)])
  func widths(width: Int, height: Int) async throws {
    try await BrowsedPages.running { pages in
      try await fill(pages)
      try await pages.browser.resize(width: width, height: height, isPhone: width < 600)
      try await visitAll(pages) { place in
        let overhang = try await pages.browser.overhang()
        #expect(overhang <= 0, "\(place)")
      }
    }
  }

  @Test("system status has a name and a message, each in a line of its own on a phone", arguments: [400, 320, 1280])
  func status(width: Int) async throws {
    try await BrowsedPages.running { pages in
      try await pages.browser.resize(width: width, height: 800, isPhone: width < 600)
      try await pages.open("/")
      let staggered = try await pages.browser.script(
        """
        const box = (node) => {
          const range = document.createRange();
          range.selectNodeContents(node);
          return Array.from(range.getClientRects()).filter((part) => part.width > 0)[0];
        };
        const share = (one, other) => one.top < other.bottom && other.top < one.bottom;
        return Array.from(document.querySelectorAll("#parts tr")).filter((row) => {
          const [name, message] = row.cells;
          const dot = row.querySelector(".dot").getBoundingClientRect();
          const problem = message.querySelector("b");
          return !share(dot, box(name.lastChild))
            || (problem && !share(box(problem), box(message.querySelector("bdi"))))
            || (window.innerWidth < 600 && Math.abs(box(name.lastChild).left - box(message).left) > 4);
        }).map((row) => row.innerText);
        """, as: [String].self)
      #expect(staggered.isEmpty, "\(staggered)")
      #expect(try await pages.browser.count("#parts tr") == 7)
    }
  }

  @Test("ids, payloads and reasons are escaped on every page")
  func hostileText() async throws {
    try await BrowsedPages.running { pages in
      let browser = pages.browser
      try await pages.open("/recent")
      try await browser.shows("that it is live") { try await browser.text("#live") == "Live" }
      for id in Self.hostile {
        let text = String(decoding: try JSONEncoder().encode(id), as: UTF8.self)
        try await pages.start(id, "\"every\": \"1h\", \"payload\": {\"x\": \(text)}")
      }
      try await browser.shows("all ids") { try await browser.count("#events tr") == Self.hostile.count }
      #expect(try await browser.texts("#events bdi") == Self.hostile.reversed(), "as the script shows them")
      #expect(await browser.dialog() == nil)
      for place in ["/recent", "/schedules"] {
        try await pages.open(place)
        let ids = try await browser.texts("td a bdi, th a bdi")
        #expect(Set(ids.map { Array($0.utf8) }) == Set(Self.hostile.map { Array($0.utf8) }), "\(place)")
        #expect(await browser.dialog() == nil)
      }
      for id in Self.hostile {
        try await pages.openSchedule(id)
        #expect(try await browser.text("h1") == id)
        #expect(try await browser.text("#recent") != "No events.")
        let event = try await browser.text("pre")
        #expect(try JSONDecoder().decode(StartEvent.self, from: Data(event.utf8)).Detail.payload["x"] == id)
        #expect(await browser.dialog() == nil)
        try await pages.open("/preview")
        try await browser.fill("[name=expression]", String(id.unicodeScalars.filter { $0.value < 0xFFFF }))
        try await browser.click("form button")
        #expect(try await browser.count("[role=alert]") == 1)
        #expect(await browser.dialog() == nil)
      }
    }
  }

  private struct StartEvent: Decodable {
    struct Detail: Decodable { var payload: [String: String] }
    var Detail: Detail
  }
}
