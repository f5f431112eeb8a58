/// Names as Prometheus takes them: of what swift-metrics takes, anything.
enum MetricName {
  /// `http.requests-total` becomes `http_requests_total`; a digit in front gets a `_` before it.
  static func metric(_ name: String) -> String {
    cleaned(name) { $0 == UInt8(ascii: ":") }
  }

  /// As a metric's name, without colons. Two `_` in front are Prometheus's own, and so is `le`, a histogram's bound.
  static func label(_ name: String) -> String {
    var cleaned = cleaned(name) { _ in false }
    while cleaned.hasPrefix("__") { cleaned.removeFirst() }
    return cleaned == "le" ? "exported_le" : cleaned
  }

  /// Labels in order of their names, each name once: the first of several holds.
  static func labels(_ dimensions: [(String, String)]) -> [Label] {
    var labels: [Label] = []
    for (name, value) in dimensions {
      let name = label(name)
      if !labels.contains(where: { $0.name == name }) { labels.append(Label(name: name, value: value)) }
    }
    return labels.sorted { $0.name < $1.name }
  }

  /// What is no letter, digit or `_` of ASCII, and no other byte that is allowed, becomes `_`.
  private static func cleaned(_ name: String, allowing others: (UInt8) -> Bool) -> String {
    var bytes = name.utf8.map { isLetter($0) || isDigit($0) || others($0) ? $0 : UInt8(ascii: "_") }
    if bytes.first.map(isDigit) ?? true { bytes.insert(UInt8(ascii: "_"), at: 0) }
    return String(decoding: bytes, as: UTF8.self)
  }

  private static func isLetter(_ byte: UInt8) -> Bool {
    0x41...0x5A ~= byte || 0x61...0x7A ~= byte
  }

  private static func isDigit(_ byte: UInt8) -> Bool {
    0x30...0x39 ~= byte
  }
}

/// A label of a series.
struct Label: Hashable, Sendable {
  var name: String
  var value: String
}
