import AMQP
import Foundation
import Recurrence

/// An event of the scheduler as a client receives it.
struct ServiceEvent: Sendable, CustomStringConvertible {
  /// The fields of all events; which are present depends on the event.
  struct Detail: Decodable, Sendable {
    var id, cron, every, at, duration, timezone, startDate, endDate, jitter: String?
    var limit, counter, missed: Int?
    var tickId, scheduledTime, nextTickDate: String?
    var replaced, kept, ended: Bool?
    var ignored: [String]?
    var reason, command, field, messageId: String?
    var pausedDate, pausedUntil, trigger, group, description: String?
    var tags: [String]?
    var changed: Changed?
    var revision: Int?
    var prefix: String?
    var matched, unchanged: Int?
    var paused: Bool?
  }

  /// The names of an Updated, or the number of a Batch Done.
  struct Changed: Decodable, Sendable {
    var names: [String]?
    var count: Int?

    init(from decoder: any Decoder) throws {
      let value = try decoder.singleValueContainer()
      count = try? value.decode(Int.self)
      if count == nil { names = try value.decode([String].self) }
    }
  }

  private struct Envelope: Decodable {
    var Source, DetailType, Time: String
    var Detail: Detail
  }

  let delivery: Delivery
  /// When it was received, in milliseconds since 1970.
  let received = Int64(Date().timeIntervalSince1970 * 1000)
  let source: String
  /// The DetailType.
  let name: String
  let time: String
  let detail: Detail

  init(_ delivery: Delivery) throws {
    let envelope = try JSONDecoder().decode(Envelope.self, from: Data(delivery.body))
    self.delivery = delivery
    (source, name, time, detail) = (envelope.Source, envelope.DetailType, envelope.Time, envelope.Detail)
  }

  var body: String { String(decoding: delivery.body, as: UTF8.self) }
  var properties: Properties { delivery.properties }
  var description: String { body }

  /// Whether it is a tick that a Schedule Trigger asked for, which is none of the schedule's own.
  var isTriggered: Bool { isTick && detail.trigger == "manual" }

  /// The message_id of a Started or Stopped that reports the effect of its command, `<id>@<generation>/…`; nil for one that
  /// reports the present state, whose message_id is a UUID.
  var effectID: String? {
    let text = String(decoding: properties.messageID ?? [], as: UTF8.self)
    return text.hasSuffix("/started") || text.hasSuffix("/stopped") ? text : nil
  }

  var isTick: Bool { name == "Schedule Tick" }
  /// The slot of a tick.
  var slot: Instant? { detail.scheduledTime.flatMap { Instant(rfc3339: $0) } }
  /// Milliseconds from a tick's slot to its sending.
  var lateness: Int64? {
    guard let slot, let sent = Instant(rfc3339: time) else { return nil }
    return sent.milliseconds - slot.milliseconds
  }

  /// The payload's bytes, the last field of the Detail.
  var payload: String? {
    guard let start = body.range(of: "\"payload\":"), body.hasSuffix("}}") else { return nil }
    return String(body[start.upperBound...].dropLast(2))
  }
}
