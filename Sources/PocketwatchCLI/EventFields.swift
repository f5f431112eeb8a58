import Foundation
import Recurrence

/// The fields of a Detail, or of an object in it, as texts for the terminal.
struct EventFields {
  private let values: [String: Any]

  init(_ values: Any?) { self.values = values as? [String: Any] ?? [:] }

  /// A string as it was sent.
  func string(_ field: String) -> String? { values[field] as? String }

  func instant(_ field: String) -> Instant? { string(field).flatMap { Instant(rfc3339: $0) } }

  /// A string or a number; nil when the field is absent.
  func text(_ field: String, label: String = "") -> String? {
    switch values[field] {
    case let text as String: label + shownText(text)
    case let number as NSNumber: label + number.stringValue
    default: nil
    }
  }

  /// Like `text`, but nil for 0.
  func count(_ field: String, label: String = "") -> String? {
    values[field] as? Int == 0 ? nil : text(field, label: label)
  }

  /// Strings, separated by commas.
  func list(_ field: String, label: String = "") -> String? {
    strings(field).map { label + shownText($0.joined(separator: ", ")) }
  }

  func strings(_ field: String) -> [String]? { values[field] as? [String] }

  func objects(_ field: String) -> [EventFields] { (values[field] as? [Any] ?? []).map(EventFields.init) }

  func object(_ field: String) -> EventFields? { values[field].map(EventFields.init) }

  func has(_ field: String) -> Bool { values[field] != nil }

  /// Those of these fields that are true.
  func flags(_ names: String...) -> String? {
    let flags = names.filter { values[$0] as? Bool == true }
    return flags.isEmpty ? nil : flags.joined(separator: "  ")
  }

  /// The timing with its zone, such as `cron 0 9 * * * Europe/Rome`.
  var timing: String? {
    let timing = ["cron", "every", "at", "duration"].lazy.compactMap { text($0, label: $0 + " ") }.first
    return timing.map { $0 + (text("timezone", label: " ") ?? "") }
  }

  /// The beginning of the payload, with keys in order.
  var payload: String? { values["payload"].flatMap(Self.compact).map { shownText(String($0.prefix(200))) } }

  /// All of it as JSON, on one line.
  var json: String { Self.compact(values) ?? "{}" }

  private static func compact(_ value: Any) -> String? {
    let data = try? JSONSerialization.data(
      withJSONObject: value, options: [.fragmentsAllowed, .sortedKeys, .withoutEscapingSlashes])
    return data.map { String(decoding: $0, as: UTF8.self) }
  }
}
