import AMQP
import Foundation
import Recurrence

/// What clients and an operator saw while a service ran, was killed and ran again, in order. The checker uses nothing else.
struct BusHistory: Sendable {
  struct Entry: Codable, Sendable {
    /// Milliseconds since 1970 on this machine's clock, which is also the service's.
    var at: Int64
    var event: Event
  }

  enum Event: Codable, Sendable {
    /// A client is about to publish this command for the first time.
    case published(SentCommand)
    /// The broker confirmed it.
    case confirmed(label: Int)
    /// A client received an event of the scheduler.
    case received(Received)
    /// A message arrived in the dead queue.
    case deadLettered(messageID: String)
    /// A fault of the service or the broker, from now until `recovered`.
    case fault(Fault)
    /// The service was ready again.
    case recovered
  }

  /// The fields of the scheduler's event that the checker needs.
  struct Received: Codable, Equatable, Sendable {
    var name: String
    var id: String?
    /// The label of the command that it answers, or that started the schedule.
    var command: Int?
    /// The label in the payload: that of the Start that created the schedule.
    var label: Int?
    var counter: Int?
    /// The slot and the next one, in milliseconds since 1970.
    var slot, next: Int64?
    var missed: Int
    /// The envelope's `Time`.
    var sent: Int64
    var reason: String?
    var isKept: Bool
    /// The body without its `Time`, the only part that may differ between copies.
    var body: String
    /// Whether it is a tick that a Trigger asked for.
    var isTriggered = false
    /// Whether the schedule is paused, and until when; nil where the event does not say it.
    var isPaused: Bool?
    var pausedUntil: Int64?
  }

  private(set) var entries: [Entry] = []

  init(_ entries: [Entry] = []) { self.entries = entries }

  mutating func note(_ event: Event, at: Int64 = Int64(Date().timeIntervalSince1970 * 1000)) {
    entries.append(Entry(at: at, event: event))
  }
}

/// A fault of the service or its broker.
enum Fault: String, Codable, CaseIterable, Sendable {
  case serviceKilled, serviceStopped, serviceFrozen, brokerKilled, connectionsClosed
}

/// A command, with what its sender expects.
struct SentCommand: Codable, Equatable, Sendable {
  enum Kind: Codable, Equatable, Sendable {
    /// Ticks this many milliseconds apart.
    case recurring(step: Int64, limit: Int?, misfire: String?)
    case once
    case stop
    /// A Pause, Resume, Trigger or Update, by its name.
    case control(String)
    case garbage
  }

  /// Unique in a run: the `message_id`, if it has one, and the payload of the schedule.
  var label: Int
  var id: String
  var kind: Kind
  var hasMessageID: Bool
  /// The members of its Detail; for garbage the whole body.
  var detail: String

  var isStart: Bool {
    switch kind {
    case .recurring, .once: true
    case .stop, .control, .garbage: false
    }
  }

  var isControl: Bool { if case .control = kind { true } else { false } }

  var name: String {
    switch kind {
    case .stop: "Schedule Stop"
    case .control(let name): name
    case .recurring, .once, .garbage: "Schedule Start"
    }
  }
}

// MARK: - As a file

extension BusHistory {
  /// One entry per line.
  func write(to path: String) throws {
    let encoder = JSONEncoder()
    var data = Data()
    for entry in entries { data += try encoder.encode(entry) + Data("\n".utf8) }
    try data.write(to: URL(filePath: path))
  }

  init(path: String) throws {
    let decoder = JSONDecoder()
    let lines = try Data(contentsOf: URL(filePath: path)).split(separator: UInt8(ascii: "\n"))
    entries = try lines.map { try decoder.decode(Entry.self, from: $0) }
  }
}

extension BusHistory.Received {
  init(_ event: ServiceEvent) {
    name = event.name
    id = event.detail.id
    command = event.properties.correlationID.flatMap { Int(String(decoding: $0, as: UTF8.self)) }
    label = event.payload.flatMap { Int($0) }
    counter = event.detail.counter
    slot = event.slot?.milliseconds
    next = event.detail.nextTickDate.flatMap { Instant(rfc3339: $0) }?.milliseconds
    missed = event.detail.missed ?? 0
    sent = Instant(rfc3339: event.time)?.milliseconds ?? 0
    reason = event.detail.reason
    isKept = event.detail.kept ?? false
    body = event.body.replacing("\"Time\":\"\(event.time)\"", with: "")
    isTriggered = event.isTriggered
    isPaused = event.detail.paused
    pausedUntil = event.detail.pausedUntil.flatMap { Instant(rfc3339: $0) }?.milliseconds
  }

  var isTick: Bool { name == "Schedule Tick" }
}
