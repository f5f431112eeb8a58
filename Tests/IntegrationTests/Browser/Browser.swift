import Foundation
import Testing

/// Debian's chromium without a window, driven through its chromedriver, with a profile of its own.
final class Browser: Sendable {
  static let chromium = "/usr/bin/chromium"
  static let driver = "/usr/bin/chromedriver"
  static let isThere = [chromium, driver].allSatisfy(FileManager.default.isExecutableFile)
  static let isNeeded: Comment = "chromium shows the pages: apt-get install chromium chromium-driver fonts-dejavu"

  private let program: Program
  private let folder: URL
  private let session: WebDriver

  private init(_ program: Program, _ folder: URL, _ session: WebDriver) {
    (self.program, self.folder, self.session) = (program, folder, session)
  }

  /// Runs `body` with a browser, and leaves nothing behind.
  static func running(_ body: (Browser) async throws -> Void) async throws {
    // Not in a deep folder: chromium creates a socket in it, whose path may have 107 bytes.
    let folder = URL(filePath: "/tmp/pocketwatch-browser-\(UUID().uuidString.prefix(8))")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    // Both write to their home and to the folder for temporary files.
    let program = try Program(
      driver, ["--port=0"], environment: ["HOME": folder.path(), "TMPDIR": folder.path(), "LANG": "C.UTF-8"])
    do {
      let browser = try await start(program, folder)
      try await body(browser)
      try await browser.session.call("DELETE", "")
    } catch {
      try? await end(program, folder)
      throw error
    }
    try await end(program, folder)
  }

  private static func start(_ program: Program, _ folder: URL) async throws -> Browser {
    let line = try await program.output.next("chromedriver's port") { $0.contains("successfully on port") }
    let port = try #require(line.firstMatch(of: /port (\d+)/)).output.1
    let base = "http://127.0.0.1:\(port)/session"
    var arguments = [
      "--headless=new", "--user-data-dir=\(folder.appending(path: "profile").path())", "--disable-gpu",
      "--disable-dev-shm-usage", "--disable-background-networking", "--disable-component-update", "--no-first-run",
      "--hide-scrollbars", "--lang=en",
    ]
    if geteuid() == 0 { arguments.append("--no-sandbox") }
    let capabilities: [String: Any] = [
      "browserName": "chrome", "goog:loggingPrefs": ["browser": "ALL"], "unhandledPromptBehavior": "ignore",
      "goog:chromeOptions": ["binary": chromium, "args": arguments],
    ]
    struct Session: Decodable { var sessionId: String }
    let session = try await WebDriver(base: base).call(
      "POST", "", ["capabilities": ["alwaysMatch": capabilities]], as: Session.self)
    return Browser(program, folder, WebDriver(base: "\(base)/\(session.sessionId)"))
  }

  /// Ends chromedriver and the remaining processes of chromium, which hold chromedriver's output open.
  private static func end(_ program: Program, _ folder: URL) async throws {
    program.send(signal: SIGTERM)
    try await until("the end of chromium") {
      let left = try processes(of: folder)
      left.forEach { _ = kill($0, SIGKILL) }
      return left.isEmpty
    }
    _ = try await program.exitCode()
  }

  /// Those that name the folder in their arguments, or in their environment where that is not overwritten.
  private static func processes(of folder: URL) throws -> [pid_t] {
    try FileManager.default.contentsOfDirectory(atPath: "/proc").compactMap { pid_t($0) }.filter { process in
      ["cmdline", "environ"].contains { file in
        let words = FileManager.default.contents(atPath: "/proc/\(process)/\(file)") ?? Data()
        return words.range(of: Data(folder.lastPathComponent.utf8)) != nil
      }
    }
  }
}

// MARK: - Commands

extension Browser {
  /// Loads an address, and returns when it has loaded.
  func open(_ address: String) async throws { try await session.call("POST", "/url", ["url": address]) }

  func reload() async throws { try await session.call("POST", "/refresh", [:]) }
  func back() async throws { try await session.call("POST", "/back", [:]) }

  var address: String {
    get async throws { try await session.call("GET", "/url", as: String.self) }
  }

  /// Runs the body of a function in the page and returns its result, also where the page's own scripts are off.
  @discardableResult
  func script<Value: Decodable>(
    _ body: String, _ arguments: String..., as type: Value.Type = Nothing.self
  ) async throws -> Value {
    try await session.call("POST", "/execute/sync", ["script": body, "args": arguments], as: type)
  }

  /// Sends a command of Chromium's own protocol.
  private func command(_ name: String, _ parameters: [String: Any]) async throws {
    try await session.call("POST", "/goog/cdp/execute", ["cmd": name, "params": parameters])
  }

  /// Whether pages loaded from now on may run scripts.
  func allowScripts(_ isAllowed: Bool) async throws {
    try await command("Emulation.setScriptExecutionDisabled", ["value": !isAllowed])
  }

  /// Sets `prefers-color-scheme`.
  func prefer(_ scheme: String) async throws {
    try await command(
      "Emulation.setEmulatedMedia", ["features": [["name": "prefers-color-scheme", "value": scheme]]])
  }

  /// Sets the size of the page, in pixels of CSS.
  func resize(width: Int, height: Int, isPhone: Bool = false, scale: Double = 1) async throws {
    try await command(
      "Emulation.setDeviceMetricsOverride",
      ["width": width, "height": height, "deviceScaleFactor": scale, "mobile": isPhone])
  }

  /// A screenshot of the visible part, as a PNG.
  func screenshot() async throws -> Data {
    let text = try await session.call("GET", "/screenshot", as: String.self)
    guard let data = Data(base64Encoded: text) else { throw Unexpected("the picture is not in base64") }
    return data
  }

  /// The text of the dialog that a page has opened; nil when there is none.
  func dialog() async -> String? { try? await session.call("GET", "/alert/text", as: String.self) }

  /// Entries of the console since the last call: errors of scripts, failed loads, violations of the policy. Not those of the
  /// browser's own pages, such as the one that it begins with.
  func complaints() async throws -> [String] {
    struct Entry: Decodable { var level, message: String }
    return try await session.call("POST", "/se/log", ["type": "browser"], as: [Entry].self)
      .filter { !$0.message.hasPrefix("chrome://") }.map { "\($0.level): \($0.message)" }
  }
}

// MARK: - Elements, by CSS selectors

extension Browser {
  private struct Element: Decodable {
    /// WebDriver's name for the key of an element's number.
    static let key = "element-6066-11e4-a52e-4f735466cecf"
    var number: String

    init(from decoder: any Decoder) throws {
      number = try decoder.singleValueContainer().decode([String: String].self)[Self.key] ?? ""
    }
  }

  private func element(_ selector: String) async throws -> String {
    let found = try await session.call(
      "POST", "/element", ["using": "css selector", "value": selector], as: Element.self)
    return "/element/\(found.number)/"
  }

  /// Clicks, and waits until the next page has loaded; the driver may return before that. If there is no next page, waits
  /// for half a second.
  func click(_ selector: String) async throws {
    let before = try await page()
    try await session.call("POST", element(selector) + "click", [:])
    for _ in 1...10 where (try? await page()) == before { try await Task.sleep(for: .milliseconds(50)) }
    try await shows("all of it") { (try? await script("return document.readyState", as: String.self)) == "complete" }
  }

  /// Tells a page from the one before.
  private func page() async throws -> Double { try await script("return performance.timeOrigin", as: Double.self) }

  /// Replaces the text of a field.
  func fill(_ selector: String, _ text: String) async throws {
    let path = try await element(selector)
    try await session.call("POST", path + "clear", [:])
    try await session.call("POST", path + "value", ["text": text])
  }

  /// Chooses an option of a field by its text.
  func choose(_ selector: String, _ option: String) async throws {
    try await script(
      """
      const field = document.querySelector(arguments[0]);
      field.value = Array.from(field.options).find(option => option.text === arguments[1]).value;
      """, selector, option)
  }

  /// The visible text of each element.
  func texts(_ selector: String) async throws -> [String] {
    try await script(
      "return Array.from(document.querySelectorAll(arguments[0]), element => element.innerText.trim())", selector,
      as: [String].self)
  }

  func text(_ selector: String) async throws -> String { try await texts(selector).joined(separator: "\n") }

  func count(_ selector: String) async throws -> Int {
    try await script("return document.querySelectorAll(arguments[0]).length", selector, as: Int.self)
  }

  /// Waits until a page shows something without being reloaded.
  func shows(_ what: String, _ isSo: () async throws -> Bool) async throws {
    let end = ContinuousClock.now + .seconds(60)
    while try await !isSo() {
      guard ContinuousClock.now < end else { throw Unexpected("the page did not show \(what) within 60 s") }
      try await Task.sleep(for: .milliseconds(50))
    }
  }
}
