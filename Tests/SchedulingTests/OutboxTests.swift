import Recurrence
import Simulation
import Testing

@testable import Scheduling

struct OutboxTests {
  private static let timeout: Int64 = 30_000

  private func item(_ tag: UInt64) -> Outbox.Item {
    Outbox.Item(
      subject: .answer(channel: 1, tag: tag, .acknowledge),
      event: .rejected(Rejection(command: "test", field: "\(tag)", reason: "")), origin: Origin())
  }

  private func tick(_ generation: Int64) throws -> Outbox.Item {
    let definition = Definition(id: "a", timing: try Timing(every: "1s"))
    let tick = Tick(definition: definition, generation: generation, counter: 0, slot: .noon, missed: 0, nextSlot: nil)
    return Outbox.Item(subject: .tick(generation: generation), event: .tick(tick), origin: Origin())
  }

  /// 1, 2, 4 … 60 seconds, and it stays at 60.
  @Test func pausesDouble() throws {
    var outbox = Outbox()
    var next = item(1)
    var second: Int64 = 0
    for pause in [1, 2, 4, 8, 16, 32, 60, 60, 60] as [Int64] {
      outbox.pause(next, at: .second(second))
      #expect(outbox.nextPauseEnd == Now.second(second + pause).uptime)
      #expect(outbox.popPaused(at: Now(wall: .noon, uptime: Now.second(second + pause).uptime - 1)) == nil)
      second += pause
      let popped = outbox.popPaused(at: .second(second))
      next = try #require(popped)
    }
    #expect(next.refusals == 9)
    #expect(outbox.popPaused(at: .second(second + 100)) == nil)
  }

  /// What is paused to the same millisecond comes back in the order in which it was paused.
  @Test func pausesKeepOrder() {
    var outbox = Outbox()
    for tag in 1...20 as ClosedRange<UInt64> { outbox.pause(item(tag), at: .second(0)) }
    var order: [Outbox.Subject] = []
    while let item = outbox.popPaused(at: .second(1)) { order.append(item.subject) }
    #expect(order == (1...20).map { item($0).subject })
  }

  /// Answers that were in flight go out first and in their order; ticks are left to the window.
  @Test func connectionLost() throws {
    var outbox = Outbox()
    _ = outbox.send(item(1), at: .second(0))
    _ = outbox.send(try tick(7), at: .second(0))
    let landed = outbox.send(item(2), at: .second(0))
    _ = outbox.send(item(3), at: .second(0))
    let waiting = item(4)
    outbox.enqueue(waiting.subject, waiting.event, origin: Origin())
    let subject = outbox.land(landed.number, at: .second(0))?.subject
    #expect(subject == item(2).subject)

    let lost = outbox.connectionLost()
    #expect(lost.map(\.subject) == [item(1).subject, try tick(7).subject, item(3).subject])
    #expect(!outbox.hasFlights)
    var ready: [Outbox.Subject] = []
    while let item = outbox.popReady() { ready.append(item.subject) }
    #expect(ready == [item(1), item(3), item(4)].map(\.subject))
    #expect(outbox.land(landed.number, at: .second(0)) == nil)
  }

  @Test func unanswered() throws {
    var outbox = Outbox()
    let first = outbox.send(item(1), at: .second(0))
    let second = outbox.send(item(2), at: .second(1))
    _ = outbox.send(item(3), at: .second(2))
    #expect(outbox.unansweredDeadline(after: Self.timeout) == Now.second(30).uptime)
    #expect(outbox.popUnanswered(for: Self.timeout, at: .second(29)) == nil)
    _ = outbox.land(first.number, at: .second(0))
    #expect(outbox.popUnanswered(for: Self.timeout, at: .second(30)) == nil)
    #expect(outbox.unansweredDeadline(after: Self.timeout) == Now.second(31).uptime)
    #expect(outbox.popUnanswered(for: Self.timeout, at: .second(31))?.subject == item(2).subject)
    #expect(outbox.popUnanswered(for: Self.timeout, at: .second(31)) == nil)
    #expect(outbox.refusedAnswers == 1)
    let late = outbox.confirm(second.number, at: .second(0))
    #expect(late?.subject == item(2).subject, "an answer that comes late is one all the same")
    #expect(outbox.refusedAnswers == 0)
  }

  /// A tick without an answer waits outside of the window, and not for ever.
  @Test func overdue() throws {
    var outbox = Outbox()
    _ = outbox.send(try tick(7), at: .second(0))
    _ = outbox.send(try tick(8), at: .second(1))
    for second in [30, 31] as [Int64] { _ = outbox.popUnanswered(for: Self.timeout, at: .second(second)) }
    #expect(outbox.heldTicks == 2)
    #expect(!outbox.hasFlights)
    #expect(outbox.forlornDeadline(after: 60_000) == Now.second(90).uptime)
    let forlorn = outbox.takeForlorn(after: 60_000, at: .second(90))
    #expect(forlorn.map(\.subject) == [try tick(7).subject])
    let lost = outbox.connectionLost()
    #expect(lost.map(\.subject) == [try tick(8).subject])
    #expect(outbox.heldTicks == 0)
  }

  /// The hour after which a tick is given up is that of its pauses.
  @Test func pausesAddUp() throws {
    var outbox = Outbox()
    let number = outbox.send(try tick(1), at: .second(0)).number
    let landed = outbox.land(number, at: .second(0))
    outbox.pause(try #require(landed), at: .second(1))
    #expect(outbox.heldTicks == 1)
    let popped = outbox.popPaused(at: .second(5000))
    #expect(outbox.heldTicks == 0)
    let again = outbox.send(try #require(popped), at: .second(5000))
    #expect(again.number != number)
    #expect(outbox.inFlight(again.number)?.paused == 1000)
  }

  /// One that stays without an answer while tens of thousands are answered is still found, is the oldest, and is the first
  /// to be sent again.
  @Test func stragglersAreKept() {
    var outbox = Outbox()
    let late = (0..<2).map { _ in outbox.send(item(1), at: .second(0)).number }
    for _ in 0..<30_000 {
      let number = outbox.send(item(2), at: .second(1)).number
      #expect(outbox.land(number, at: .second(1)) != nil)
    }
    #expect(outbox.hasFlights)
    #expect(outbox.unansweredDeadline(after: 5) == Now.second(0).uptime + 5)
    let returned = outbox.returned(late[1])
    #expect(returned?.isReturned == true)
    let confirmed = outbox.confirm(late[1], at: .second(2))
    #expect(confirmed?.confirmation == 2000)
    let again = outbox.confirm(late[1], at: .second(2))
    #expect(again == nil)
    _ = outbox.send(item(3), at: .second(3))
    let lost = outbox.connectionLost()
    #expect(lost.map(\.subject) == [item(1).subject, item(3).subject])
    #expect(!outbox.hasFlights)
  }
}
