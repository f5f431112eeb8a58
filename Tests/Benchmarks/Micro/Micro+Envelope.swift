import AMQP
import EventBus
import PocketwatchService
import Recurrence
import Scheduling

/// From bytes to a command, and from a tick to the bytes of its frames.
extension Micro {
  static func envelope() throws {
    let rome = try ZoneDirectory().rules(named: "Europe/Rome")
    let decoder = CommandDecoder(zones: { _ in rome }, secret: SipHash.Key(1, 2))
    let start = IncomingMessage(
      routingKey: Array("Schedule Start".utf8), messageID: Array("00000000-0000-4000-8000-000000000000".utf8),
      body: BenchSchedules.start.body)
    guard case .command = decoder.decode(start).content else { throw BenchError("the Start is refused") }
    report("decode a Start with \(BenchSchedules.payloadBytes) bytes of payload") { _ in
      _ = decoder.decode(start)
    }
    let encoder = MessageEncoder(names: TopologyNames(), sendsUserID: true)
    encoder.server = ServerInfo(endpoint: "none", user: "guest", frameMax: 131_072)
    let every = Timing.every(try DurationExpression("1h"))
    let now = WallClock.now
    let schedule = BenchSchedules.schedule("micro-00000000", every, at: now, generation: 1)
    let tick = Tick(
      definition: schedule.definition, generation: 1, counter: 7, slot: now, missed: 0, nextSlot: now)
    let publication = Publication(number: 1, content: .event(.tick(tick)), origin: schedule.origin)
    report("encode a tick with \(BenchSchedules.payloadBytes) bytes of payload") { _ in
      _ = encoder.encode([publication], at: now)
    }
  }
}
