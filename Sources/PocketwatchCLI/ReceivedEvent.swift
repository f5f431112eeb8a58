import AMQP
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
  let detail: EventFields
  private let time: String?

  init(_ delivery: Delivery) {
    self.init(
      name: delivery.properties.type ?? String(decoding: delivery.routingKey, as: UTF8.self), body: delivery.body)
  }

  init(name: String, body: [UInt8]) {
    let object = EventFields(try? JSONSerialization.jsonObject(with: Data(body)))
    self.name = name
    json = Self.oneLine(body)
    detail = object.object("Detail") ?? EventFields(nil)
    time = object.string("Time")
  }

  /// JSON on one line. A payload may have line breaks between tokens; spaces are equivalent there.
  static func oneLine(_ json: [UInt8]) -> String {
    String(decoding: json.map { $0 == 0x0a || $0 == 0x0d ? 0x20 : $0 }, as: UTF8.self)
  }

  /// The schedule's id.
  var id: String? { detail.string("id") }

  var isRejection: Bool { name == EventName.rejected.rawValue }

  /// `08:30:00.004  tick       test:schedule  #0  slot 2026-11-23T08:30:00.000Z (+4 ms)  next 2026-11-23T09:30:00.000Z`
  func line(coloured: Bool) -> String {
    let verb = Self.verb(name)
    let padded = verb + String(repeating: " ", count: max(0, Self.verbWidth - verb.count))
    let start = [clock, coloured ? "\(colour)\(padded)\u{1b}[0m" : padded, detail.text("id") ?? "-"]
    return (start + fields.compactMap { $0 }).joined(separator: "  ")
  }

  private static let verbWidth = EventName.own.map { verb($0.rawValue).count }.max() ?? 0

  private static func verb(_ name: String) -> String {
    name.replacing("Schedule ", with: "").replacing(" Done", with: "").lowercased()
  }

  /// What follows the id.
  private var fields: [String?] {
    switch EventName(rawValue: name) {
    case .tick: tickFields
    case .started:
      [
        detail.timing, detail.text("limit", label: "limit "), next,
        detail.flags("replaced", "kept", "paused", "ended"), ignored,
      ]
    case .stopped: [detail.text("reason"), ticks]
    case .paused: [detail.text("pausedUntil", label: "until "), ticks, detail.text("reason")]
    case .resumed: [missed, next, detail.flags("ended"), detail.text("reason")]
    case .triggered: [detail.text("tickId"), next, detail.flags("paused", "ended")]
    case .updated:
      [changed, next, detail.flags("paused", "ended"), detail.text("revision", label: "revision "), ignored]
    case .batchDone:
      [
        detail.text("command"), detail.text("group", label: "group ") ?? detail.text("prefix", label: "prefix "),
        detail.count("matched", label: "matched "), detail.count("changed", label: "changed "),
      ]
    case .rejected: [detail.text("command"), detail.text("field", label: "field "), detail.text("reason")]
    case .described: [detail.text("state"), next]
    case .listed: ["schedules \(detail.objects("schedules").count)"]
    case .start, .stop, .pause, .resume, .trigger, .update, .describe, .list, nil: []
    }
  }

  private var tickFields: [String?] {
    let slot = detail.text("scheduledTime", label: "slot ").map { $0 + lateness }
    let payload = detail.payload.map { "payload " + $0 }
    // A triggered tick is not counted, and may have no next one because the schedule is paused.
    if let trigger = detail.text("trigger", label: "trigger ") { return [trigger, slot, next, payload] }
    return [detail.text("counter", label: "#"), slot, missed, next ?? "last", payload]
  }

  private var next: String? { detail.text("nextTickDate", label: "next ") }
  private var missed: String? { detail.count("missed", label: "missed ") }
  private var ticks: String? { detail.text("counter", label: "ticks ") }
  private var ignored: String? { detail.list("ignored", label: "ignored fields: ") }

  private var changed: String? {
    detail.strings("changed") == [] ? "nothing changed" : detail.list("changed", label: "changed ")
  }

  private var lateness: String {
    guard let time = time.flatMap({ Instant(rfc3339: $0) }), let slot = detail.instant("scheduledTime") else {
      return ""
    }
    // The event does not say how much of it is jitter. A triggered tick has none.
    let jitter = detail.has("jitter") && !detail.has("trigger") ? ", jitter included" : ""
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
}
