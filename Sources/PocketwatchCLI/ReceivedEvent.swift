import AMQP
import Foundation
import PocketwatchService
import Recurrence

/// An event as it passed on the bus, and how to show it.
struct ReceivedEvent {
  /// The DetailType.
  let name: String
  /// The event as it was sent, on one line.
  let json: String
  private let detail: [String: Any]
  private let time: String?
  private let payload: String?

  init(_ delivery: Delivery) {
    let object = (try? JSONSerialization.jsonObject(with: Data(delivery.body))) as? [String: Any]
    name = delivery.properties.type ?? String(decoding: delivery.routingKey, as: UTF8.self)
    json = Self.oneLine(delivery.body)
    detail = object?["Detail"] as? [String: Any] ?? [:]
    time = object?["Time"] as? String
    payload = detail["payload"].flatMap(Self.compact)
  }

  /// JSON on one line: a payload may bring line ends between its tokens, where a space means the same.
  static func oneLine(_ json: [UInt8]) -> String {
    String(decoding: json.map { $0 == 0x0a || $0 == 0x0d ? 0x20 : $0 }, as: UTF8.self)
  }

  /// The schedule it is about.
  var id: String? { detail["id"] as? String }

  /// `08:30:00.004  tick      test:schedule  #0  slot 2026-11-23T08:30:00.000Z (+4 ms)  next 2026-11-23T09:30:00.000Z`
  func line(coloured: Bool) -> String {
    let verb = name.replacing("Schedule ", with: "").lowercased()
    let padded = verb + String(repeating: " ", count: max(0, 8 - verb.count))
    var words = [clock, coloured ? "\(colour)\(padded)\u{1b}[0m" : padded, show(id ?? "-")]
    switch name {
    case "Schedule Tick": words += tickWords
    case "Schedule Started": words += startedWords
    case "Schedule Stopped": words += [text("reason", label: ""), text("counter", label: "ticks ")].compactMap { $0 }
    case "Schedule Rejected":
      words += [text("command", label: ""), text("field", label: "field "), text("reason", label: "")].compactMap { $0 }
    default: break
    }
    return words.joined(separator: "  ")
  }

  private var tickWords: [String] {
    let slot = text("scheduledTime", label: "slot ").map { $0 + lateness }
    let words = [
      text("counter", label: "#"), slot, text("missed", label: "missed "),
      text("nextTickDate", label: "next ") ?? "last",
      payload.map { "payload " + show($0) },
    ]
    return words.compactMap { $0 }
  }

  private var startedWords: [String] {
    let timing = ["cron", "every", "at", "duration"].lazy.compactMap { text($0, label: $0 + " ") }.first
    let ignored = (detail["ignored"] as? [String]).map { "ignored fields: " + show($0.joined(separator: ", ")) }
    let words = [
      timing, text("limit", label: "limit "), text("timezone", label: ""), text("nextTickDate", label: "next "),
    ]
    let flags = ["replaced", "kept", "ended"].filter { detail[$0] as? Bool == true }
    return words.compactMap { $0 } + flags + [ignored].compactMap { $0 }
  }

  private var lateness: String {
    guard let time = time.flatMap({ Instant(rfc3339: $0) }),
      let slot = (detail["scheduledTime"] as? String).flatMap({ Instant(rfc3339: $0) })
    else { return "" }
    // By how much of that its jitter says is not in the event.
    let jitter = detail["jitter"] == nil ? "" : ", jitter included"
    return " (+\(time.milliseconds - slot.milliseconds) ms\(jitter))"
  }

  /// The time of day of the event, UTC.
  private var clock: String {
    guard let time, let start = time.firstIndex(of: "T") else { return "--:--:--.---" }
    return String(time[time.index(after: start)...].prefix(12))
  }

  private var colour: String {
    switch name {
    case "Schedule Tick": "\u{1b}[32m"
    case "Schedule Rejected": "\u{1b}[31m"
    default: "\u{1b}[36m"
    }
  }

  private func text(_ field: String, label: String) -> String? {
    switch detail[field] {
    case let text as String: label + show(text)
    case let number as NSNumber: label + number.stringValue
    default: nil
    }
  }

  /// What a client wrote, so that it cannot move the terminal's cursor.
  private func show(_ text: String) -> String {
    text.unicodeScalars.contains(where: \.needsEscape) ? jsonQuoted(text) : text
  }

  private static func compact(_ value: Any) -> String? {
    let data = try? JSONSerialization.data(
      withJSONObject: value, options: [.fragmentsAllowed, .sortedKeys, .withoutEscapingSlashes])
    return data.map { String(String(decoding: $0, as: UTF8.self).prefix(200)) }
  }
}
