import EventBus
import Recurrence
import Scheduling

/// Typical schedules, each with a payload of 256 bytes and the message_id of its Start.
enum BenchSchedules {
  static let payloadBytes = 256
  static let payload = Array(#"{"text": "\#(String(repeating: "x", count: payloadBytes - 12))"}"#.utf8)
  private static let messageID = Array("00000000-0000-4000-8000-000000000000".utf8)

  /// A schedule with this next slot.
  static func schedule(_ id: String, _ timing: Timing, at slot: Instant, generation: Int64) -> Schedule {
    Schedule(
      definition: Definition(id: ScheduleID(stored: Array(id.utf8)), timing: timing, payload: payload),
      origin: Origin(messageID: messageID), key: Schedule.Key(generation: generation, beginningAt: slot),
      progress: Schedule.Progress(state: .live(.init(slot: slot, due: slot))))
  }

  /// A schedule whose next slot is months away: half of them cron in time zones, the others intervals and one-shots. The ids
  /// are in random order, as in practice.
  static func waiting(_ number: Int, generation: Int64, now: Instant) throws -> Schedule {
    let id = "wait-\(scattered(number))"
    let slot = now.advanced(byMilliseconds: 60 * dayMilliseconds + Int64(number) % dayMilliseconds)
    switch number % 4 {
    case 0: return schedule(id, .every(try DurationExpression("90d")), at: slot, generation: generation)
    case 1: return schedule(id, .at(slot), at: slot, generation: generation)
    default:
      let date = slot.rfc3339.utf8.map { Int($0) - 48 }
      let month = date[5] * 10 + date[6]
      let zone = ["Europe/Rome", "America/New_York", "Asia/Tokyo"][number / 4 % 3]
      let cron = "\(number / 4 % 60) \(number / 240 % 24) \(1 + number / 5760 % 28) \(month) *"
      var waiting = schedule(id, .cron(try CronExpression(cron)), at: slot, generation: generation)
      waiting.definition.timezone = zone
      let rules = try zones.rules(named: zone)
      guard let nextTick = waiting.definition.firstTick(arrival: now, time: nil, in: rules) else {
        throw BenchError("\(cron) has no slot")
      }
      waiting.key = Schedule.Key(generation: generation, beginningAt: nextTick.slot)
      waiting.progress.state = .live(nextTick)
      return waiting
    }
  }

  private static let zones = ZoneDirectory()
  static let dayMilliseconds: Int64 = 86_400_000

  /// A different text of 16 characters for each number, in random order: the last step of SplitMix64.
  static func scattered(_ number: Int) -> String {
    let first = (UInt64(number) ^ (UInt64(number) >> 30)) &* 0xbf58_476d_1ce4_e5b9
    let second = (first ^ (first >> 27)) &* 0x94d0_49bb_1331_11eb
    let digits = String(second ^ (second >> 31), radix: 16)
    return String(repeating: "0", count: 16 - digits.count) + digits
  }

  /// The bare publisher's message: exactly as long as the tick of such a schedule.
  static func bareTick(of timing: Timing) -> BareMessage {
    let id = "burst-################"
    let slot = WallClock.now
    let schedule = schedule(id, timing, at: slot, generation: 1)
    let tick = Tick(
      definition: schedule.definition, generation: 1, counter: 0, slot: slot, missed: 0,
      nextSlot: timing.isOneShot ? nil : slot)
    let message = EventEncoder(stack: "pocketwatch")
      .encode(.tick(tick), origin: schedule.origin, at: SendingTime(slot))
    return BareMessage(key: message.routingKey, id: id, body: message.body)
  }

  /// A Start as a client sends it.
  static let start = BareMessage(
    key: "Schedule Start", id: "start-################",
    body: Array(
      #"{"Source": "bench", "DetailType": "Schedule Start", "Detail": {"id": "start-################", "#.utf8)
      + Array(#""cron": "30 8 * * MON-FRI", "timezone": "Europe/Rome", "payload": "#.utf8) + payload + Array("}}".utf8))
}
