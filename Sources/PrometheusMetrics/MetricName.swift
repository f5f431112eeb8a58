import Bytes

/// Converts the arbitrary names of swift-metrics into valid Prometheus names.
enum MetricName {
  /// `http.requests-total` becomes `http_requests_total`. A leading digit is prefixed with `_`.
  static func metric(_ name: String) -> String {
    cleaned(name) { $0 == UInt8(ascii: ":") }
  }

  /// As `metric`, without colons. Names with two leading `_` and `le` (a histogram's bound) are reserved by Prometheus.
  static func label(_ name: String) -> String {
    var cleaned = cleaned(name) { _ in false }
    while cleaned.hasPrefix("__") { cleaned.removeFirst() }
    return cleaned == "le" ? "exported_le" : cleaned
  }

  /// Labels in order of their names. Of duplicate names the first is used.
  static func labels(_ dimensions: [(String, String)]) -> [Label] {
    var labels: [Label] = []
    for (name, value) in dimensions {
      let name = label(name)
      if !labels.contains(where: { $0.name == name }) { labels.append(Label(name: name, value: value)) }
    }
    return labels.sorted { $0.name < $1.name }
  }

  /// Replaces each byte with `_` unless it is an ASCII letter, a digit, or allowed by `others`.
  private static func cleaned(_ name: String, allowing others: (UInt8) -> Bool) -> String {
    var bytes = name.utf8.map { $0.isLetter || $0.isDigit || others($0) ? $0 : UInt8(ascii: "_") }
    if bytes.first?.isDigit ?? true { bytes.insert(UInt8(ascii: "_"), at: 0) }
    return String(decoding: bytes, as: UTF8.self)
  }
}

/// A label of a series.
struct Label: Hashable, Sendable {
  var name: String
  var value: String
}
