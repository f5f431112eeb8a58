import EventBus
import Recurrence
import Scheduling

/// The schedules that are measured: usual ones, each with a payload of 256 bytes and the message_id of its Start.
enum BenchSchedules {
  static let payloadBytes = 256
  static let payload = Array(#"{"text": "\#(String(repeating: "x", count: payloadBytes - 12))"}"#.utf8)
  private static let messageID = Array("00000000-0000-4000-8000-000000000000".utf8)

  /// A schedule that waits for a slot.
  static func schedule(_ id: String, _ timing: Timing, at slot: Instant, generation: Int64) -> Schedule {
    Schedule(
      definition: Definition(id: ScheduleID(stored: Array(id.utf8)), timing: timing, payload: payload),
      origin: Origin(messageID: messageID), generation: generation, state: .live(.init(slot: slot, due: slot)))
  }

  /// A number in eight digits, as the bare publisher writes it.
  static func digits(_ number: Int) -> String {
    let text = String(number)
    return String(repeating: "0", count: max(0, 8 - text.count)) + text
  }

  /// What the bare publisher sends: as long as the tick of such a schedule, to the byte.
  static func bareTick(of timing: Timing) -> BareMessage {
    let id = "burst-########"
    let slot = WallClock.now
    let schedule = schedule(id, timing, at: slot, generation: 1)
    let tick = Tick(
      definition: schedule.definition, generation: 1, counter: 0, slot: slot, missed: 0,
      nextSlot: timing.isOneShot ? nil : slot)
    let message = EventEncoder(stack: "pocketwatch")
      .encode(Publication(number: 1, event: .tick(tick), origin: schedule.origin), now: slot)
    return BareMessage(key: message.routingKey, id: id, body: message.body)
  }

  /// A Start as a client sends it.
  static let start = BareMessage(
    key: "Schedule Start", id: "start-########",
    body: Array(
      #"{"Source": "bench", "DetailType": "Schedule Start", "Detail": {"id": "start-########", "#.utf8)
      + Array(#""cron": "30 8 * * MON-FRI", "timezone": "Europe/Rome", "payload": "#.utf8) + payload + Array("}}".utf8))
}
