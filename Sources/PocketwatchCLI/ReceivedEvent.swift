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
    self.init(
      name: delivery.properties.type ?? String(decoding: delivery.routingKey, as: UTF8.self), body: delivery.body)
  }

  init(name: String, body: [UInt8]) {
    let object = (try? JSONSerialization.jsonObject(with: Data(body))) as? [String: Any]
    self.name = name
    json = Self.oneLine(body)
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

  /// `08:30:00.004  tick       test:schedule  #0  slot 2026-11-23T08:30:00.000Z (+4 ms)  next 2026-11-23T09:30:00.000Z`
  func line(coloured: Bool) -> String {
    let verb = Self.verb(name)
    let padded = verb + String(repeating: " ", count: max(0, Self.verbWidth - verb.count))
    let start = [clock, coloured ? "\(colour)\(padded)\u{1b}[0m" : padded, show(id ?? "-")]
    return (start + fields.compactMap { $0 }).joined(separator: "  ")
  }

  private static let verbWidth = EventName.own.map { verb($0.rawValue).count }.max() ?? 0

  private static func verb(_ name: String) -> String { name.replacing("Schedule ", with: "").lowercased() }

  /// What follows the id.
  private var fields: [String?] {
    switch EventName(rawValue: name) {
    case .tick: tickFields
    case .started:
      [
        timing, text("limit", label: "limit "), text("timezone"), next, flags("replaced", "kept", "paused", "ended"),
        ignored,
      ]
    case .stopped: [text("reason"), text("counter", label: "ticks ")]
    case .paused: [text("pausedUntil", label: "until "), text("counter", label: "ticks "), text("reason")]
    case .resumed: [missed, next, flags("ended"), text("reason")]
    case .triggered: [text("tickId"), next, flags("paused", "ended")]
    case .updated: [changed, next, flags("paused", "ended"), text("revision", label: "revision "), ignored]
    case .rejected: [text("command"), text("field", label: "field "), text("reason")]
    case .described: [text("state"), next]
    case .listed: [(detail["schedules"] as? [Any]).map { "schedules \($0.count)" }]
    case .start, .stop, .pause, .resume, .trigger, .update, .describe, .list, nil: []
    }
  }

  private var tickFields: [String?] {
    let slot = text("scheduledTime", label: "slot ").map { $0 + lateness }
    let payload = payload.map { "payload " + show($0) }
    // A triggered tick is not counted, and may have no next one because the schedule is paused.
    if let trigger = text("trigger", label: "trigger ") { return [trigger, slot, next, payload] }
    return [text("counter", label: "#"), slot, missed, next ?? "last", payload]
  }

  private var timing: String? {
    ["cron", "every", "at", "duration"].lazy.compactMap { text($0, label: $0 + " ") }.first
  }

  private var next: String? { text("nextTickDate", label: "next ") }

  private var missed: String? { detail["missed"] as? Int == 0 ? nil : text("missed", label: "missed ") }

  private var changed: String? {
    texts("changed").map { $0.isEmpty ? "nothing changed" : "changed " + show($0.joined(separator: ", ")) }
  }

  private var ignored: String? { texts("ignored").map { "ignored fields: " + show($0.joined(separator: ", ")) } }

  /// Those of these fields that are true.
  private func flags(_ names: String...) -> String? {
    let flags = names.filter { detail[$0] as? Bool == true }
    return flags.isEmpty ? nil : flags.joined(separator: "  ")
  }

  private var lateness: String {
    guard let time = time.flatMap({ Instant(rfc3339: $0) }),
      let slot = (detail["scheduledTime"] as? String).flatMap({ Instant(rfc3339: $0) })
    else { return "" }
    // The event does not say how much of it is jitter. A triggered tick has none.
    let jitter = detail["jitter"] == nil || detail["trigger"] != nil ? "" : ", jitter included"
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

  private func texts(_ field: String) -> [String]? { detail[field] as? [String] }

  private func text(_ field: String, label: String = "") -> String? {
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
