import Bytes
import Foundation
import Logging
import PocketwatchService
import Recurrence
import Testing

@Suite("Log lines")
struct LogLineTests {
  private func line(_ message: String, _ fields: [(name: String, value: String)] = []) throws -> LogLine {
    LogLine(
      time: try #require(Instant(rfc3339: "2026-11-23T08:30:00.004Z")), level: .info, message: message, fields: fields)
  }

  @Test("both forms of a plain entry")
  func forms() throws {
    let line = try line("ready", [("queue", "pocketwatch.commands"), ("product", "RabbitMQ 3.10.8"), ("empty", "")])
    #expect(
      line.text == #"2026-11-23T08:30:00.004Z info ready queue=pocketwatch.commands product="RabbitMQ 3.10.8" empty="""#
    )
    #expect(
      line.json
        == #"{"time":"2026-11-23T08:30:00.004Z","level":"info","message":"ready","queue":"pocketwatch.commands","#
        + #""product":"RabbitMQ 3.10.8","empty":""}"#)
  }

  private static let hostile = [
    "a\nforged info line", "a\r\nb", "\u{1b}[2J\u{1b}[31m", "\u{7f}", "\u{9b}31m", "\u{85}", "\u{2028}", "\u{2029}",
    "\u{202e}gnp",
    "\u{2066}x", "\u{0}", "quote \" and \\", "tab\there", "a=b c=d", "é😀",
  ]

  @Test("client data cannot begin a line, move a cursor or imitate another field", arguments: hostile)
  func injection(text: String) throws {
    let line = try line(text, [("id", text), ("cause", "x")])
    for form in [line.text, line.json] {
      let bad = form.unicodeScalars.filter { $0.needsEscape }
      #expect(bad.isEmpty, "\(form)")
    }
    let decoded = try JSONDecoder().decode([String: String].self, from: Data(line.json.utf8))
    #expect(decoded["message"].map { Array($0.utf8) } == Array(text.utf8))
    #expect(decoded["id"].map { Array($0.utf8) } == Array(text.utf8))
    #expect(decoded.count == 5)
    if text.contains(" ") { #expect(line.text.contains("id=\"")) }
  }
}
