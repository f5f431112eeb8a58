import Bytes
package import Logging
package import Recurrence
import Scheduling

/// Writes one line per entry, by default to standard error: text for people, or a JSON object for programs. Never blocks on the
/// reader.
package struct LineLogHandler: LogHandler {
  package var logLevel: Logger.Level
  package var metadata: Logger.Metadata = [:]
  package var metadataProvider: Logger.MetadataProvider?
  private let isText: Bool
  private let writer: LogWriter

  package init(settings: LogSettings, isTerminal: Bool, writer: LogWriter = .standardError) {
    logLevel = settings.level
    isText = settings.format == .text || (settings.format == .auto && isTerminal)
    self.writer = writer
  }

  package subscript(metadataKey key: String) -> Logger.Metadata.Value? {
    get { metadata[key] }
    set { metadata[key] = newValue }
  }

  package func log(event: LogEvent) {
    var fields = metadata
    if let event = event.metadata { fields.merge(event) { $1 } }
    let line = LogLine(
      time: SystemClock.now().wall, level: event.level, message: "\(event.message)",
      fields: fields.sorted { $0.key < $1.key }.map { ($0.key, "\($0.value)") })
    writer.write(line, isText: isText)
  }
}

/// One log entry, formatted as text or JSON.
package struct LogLine {
  package var time: Instant
  package var level: Logger.Level
  package var message: String
  /// In output order.
  package var fields: [(name: String, value: String)]

  package init(time: Instant, level: Logger.Level, message: String, fields: [(name: String, value: String)] = []) {
    self.time = time
    self.level = level
    self.message = message
    self.fields = fields
  }

  /// `2026-11-23T08:30:00.004Z info ready queue=pocketwatch.commands`
  package var text: String {
    var line = "\(time.rfc3339) \(level.rawValue) \(Self.printable(message))"
    for field in fields { line += " \(field.name)=\(Self.quotedIfNeeded(field.value))" }
    return line
  }

  /// `{"time":"2026-11-23T08:30:00.004Z","level":"info","message":"ready","queue":"pocketwatch.commands"}`
  package var json: String {
    var line = "{\"time\":\"\(time.rfc3339)\",\"level\":\"\(level.rawValue)\",\"message\":\(jsonQuoted(message))"
    for field in fields { line += ",\(jsonQuoted(field.name)):\(jsonQuoted(field.value))" }
    return line + "}"
  }

  private static func quotedIfNeeded(_ value: String) -> String {
    let isPlain = !value.isEmpty && value.unicodeScalars.allSatisfy { $0 > " " && $0 != "\"" && $0 != "\u{7f}" }
    return isPlain ? printable(value) : jsonQuoted(value)
  }

  /// Client data must not begin a new line or move a terminal's cursor.
  private static func printable(_ text: String) -> String {
    text.unicodeScalars.contains(where: \.needsEscape) ? jsonQuoted(text) : text
  }
}
