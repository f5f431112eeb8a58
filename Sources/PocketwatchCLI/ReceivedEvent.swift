import AMQP
import Bytes
import Foundation
import PocketwatchService
import Recurrence
import Scheduling

/// An event received from the bus, formatted for the terminal.
struct ReceivedEvent {
  /// The DetailType.
  let name: String
  /// The event as sent, on one line.
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

  /// JSON on one line. A payload may have line breaks between tokens; spaces are equivalent there.
  static func oneLine(_ json: [UInt8]) -> String {
    String(decoding: json.map { $0 == 0x0a || $0 == 0x0d ? 0x20 : $0 }, as: UTF8.self)
  }

  /// The schedule's id.
  var id: String? { detail["id"] as? String }

  /// `08:30:00.004  tick      test:schedule  #0  slot 2026-11-23T08:30:00.000Z (+4 ms)  next 2026-11-23T09:30:00.000Z`
  func line(coloured: Bool) -> String {
    let verb = name.replacing("Schedule ", with: "").lowercased()
    let padded = verb + String(repeating: " ", count: max(0, 8 - verb.count))
    var fields = [clock, coloured ? "\(colour)\(padded)\u{1b}[0m" : padded, show(id ?? "-")]
    switch EventName(rawValue: name) {
    case .tick: fields += tickFields
    case .started: fields += startedFields
    case .stopped: fields += [text("reason", label: ""), text("counter", label: "ticks ")].compactMap { $0 }
    case .rejected:
      fields += [text("command", label: ""), text("field", label: "field "), text("reason", label: "")].compactMap {
        $0
      }
    case .paused: fields += [text("pausedUntil", label: "until "), text("reason", label: "")].compactMap { $0 }
    case .resumed:
      fields += [text("missed", label: "missed "), text("nextTickDate", label: "next ")].compactMap { $0 }
    case .triggered: fields += [text("tickId", label: "")].compactMap { $0 }
    case .updated:
      let changed = (detail["changed"] as? [String]).map { show($0.joined(separator: ", ")) }
      let ignored = (detail["ignored"] as? [String]).map { "ignored fields: " + show($0.joined(separator: ", ")) }
      fields += [changed, text("nextTickDate", label: "next "), ignored].compactMap { $0 }
    case .start, .stop, .pause, .resume, .trigger, .update, nil: break
    }
    return fields.joined(separator: "  ")
  }

  private var tickFields: [String] {
    let slot = text("scheduledTime", label: "slot ").map { $0 + lateness }
    let fields = [
      text("counter", label: "#"), slot, text("missed", label: "missed "),
      text("nextTickDate", label: "next ") ?? "last",
      payload.map { "payload " + show($0) },
    ]
    return fields.compactMap { $0 }
  }

  private var startedFields: [String] {
    let timing = ["cron", "every", "at", "duration"].lazy.compactMap { text($0, label: $0 + " ") }.first
    let ignored = (detail["ignored"] as? [String]).map { "ignored fields: " + show($0.joined(separator: ", ")) }
    let fields = [
      timing, text("limit", label: "limit "), text("timezone", label: ""), text("nextTickDate", label: "next "),
    ]
    let flags = ["replaced", "kept", "paused", "ended"].filter { detail[$0] as? Bool == true }
    return fields.compactMap { $0 } + flags + [ignored].compactMap { $0 }
  }

  private var lateness: String {
    guard let time = time.flatMap({ Instant(rfc3339: $0) }),
      let slot = (detail["scheduledTime"] as? String).flatMap({ Instant(rfc3339: $0) })
    else { return "" }
    // The event does not say how much of it is jitter.
    let jitter = detail["jitter"] == nil ? "" : ", jitter included"
    return " (+\(time.milliseconds - slot.milliseconds) ms\(jitter))"
  }

  /// Time of day, UTC.
  private var clock: String {
    guard let time, let start = time.firstIndex(of: "T") else { return "--:--:--.---" }
    return String(time[time.index(after: start)...].prefix(12))
  }

  private var colour: String {
    switch EventName(rawValue: name) {
    case .tick: "\u{1b}[32m"
    case .rejected: "\u{1b}[31m"
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

  /// Client text, escaped so that it cannot control the terminal.
  private func show(_ text: String) -> String {
    text.unicodeScalars.contains(where: \.needsEscape) ? jsonQuoted(text) : text
  }

  private static func compact(_ value: Any) -> String? {
    let data = try? JSONSerialization.data(
      withJSONObject: value, options: [.fragmentsAllowed, .sortedKeys, .withoutEscapingSlashes])
    return data.map { String(String(decoding: $0, as: UTF8.self).prefix(200)) }
  }
}
