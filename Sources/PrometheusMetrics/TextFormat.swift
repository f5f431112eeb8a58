/// Writes the Prometheus text format, version 0.0.4.
struct TextFormat {
  static let contentType = "text/plain; version=0.0.4; charset=utf-8"

  private(set) var text = ""

  /// The HELP and TYPE lines of a metric.
  mutating func heading(_ name: String, _ kind: MetricKind, help: String) {
    text += "# HELP \(name) \(Self.escaped(help, quotes: false))\n# TYPE \(name) \(kind.rawValue)\n"
  }

  mutating func sample(_ name: String, _ labels: [Label], _ value: Double) {
    line(name, labels, Self.number(value))
  }

  mutating func sample(_ name: String, _ labels: [Label], _ value: Int64) {
    line(name, labels, String(value))
  }

  private mutating func line(_ name: String, _ labels: [Label], _ value: String) {
    text += name
    if !labels.isEmpty {
      text += "{"
      text += labels.map { "\($0.name)=\"\(Self.escaped($0.value, quotes: true))\"" }.joined(separator: ",")
      text += "}"
    }
    text += " \(value)\n"
  }

  /// In Go's syntax; whole numbers without `.0`.
  static func number(_ value: Double) -> String {
    if value.isNaN { return "NaN" }
    if value.isInfinite { return value < 0 ? "-Inf" : "+Inf" }
    let text = "\(value)"
    return text.hasSuffix(".0") ? String(text.dropLast(2)) : text
  }

  /// Escapes backslashes and line feeds, and in label values also quotes.
  ///
  /// By scalar, because `\r\n` is a single Character in Swift and not equal to `\n`.
  private static func escaped(_ text: String, quotes: Bool) -> String {
    var escaped = String.UnicodeScalarView()
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\\": escaped.append(contentsOf: #"\\"#.unicodeScalars)
      case "\n": escaped.append(contentsOf: #"\n"#.unicodeScalars)
      case "\"" where quotes: escaped.append(contentsOf: #"\""#.unicodeScalars)
      default: escaped.append(scalar)
      }
    }
    return String(escaped)
  }
}
