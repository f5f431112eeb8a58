import Recurrence
import Simulation
import Testing

@testable import Scheduling

struct PublicationsTests {
  private static let timeout: Int64 = 30_000

  private func item(_ tag: UInt64) -> Publications.Item {
    Publications.Item(
      subject: .answer(.delivery(tag: tag), channel: 1, .acknowledge),
      event: .rejected(Rejection(command: "test", field: "\(tag)", reason: "")), origin: Origin())
  }

  private func tick(_ generation: Int64) throws -> Publications.Item {
    let definition = Definition(id: "a", timing: try Timing(every: "1s"))
    let tick = Tick(definition: definition, generation: generation, counter: 0, slot: .noon, missed: 0, nextSlot: nil)
    return Publications.Item(subject: .tick(generation: generation), event: .tick(tick), origin: Origin())
  }

  /// 1, 2, 4 … 60 seconds, and it stays at 60.
  @Test func pausesDouble() throws {
    var publications = Publications()
    var next = item(1)
    var second: Int64 = 0
    for pause in [1, 2, 4, 8, 16, 32, 60, 60, 60] as [Int64] {
      publications.pause(next, at: .second(second))
      #expect(publications.nextPauseEnd == Now.second(second + pause).uptime)
      #expect(publications.popPaused(at: Now(wall: .noon, uptime: Now.second(second + pause).uptime - 1)) == nil)
      second += pause
      let popped = publications.popPaused(at: .second(second))
      next = try #require(popped)
    }
    #expect(next.refusals == 9)
    #expect(publications.popPaused(at: .second(second + 100)) == nil)
  }

  /// What is paused to the same millisecond comes back in the order in which it was paused.
  @Test func pausesKeepOrder() {
    var publications = Publications()
    for tag in 1...20 as ClosedRange<UInt64> { publications.pause(item(tag), at: .second(0)) }
    var order: [Publications.Subject] = []
    while let item = publications.popPaused(at: .second(1)) { order.append(item.subject) }
    #expect(order == (1...20).map { item($0).subject })
  }

  /// Answers that were in flight go out first and in their order; ticks are left to the window.
  @Test func connectionLost() throws {
    var publications = Publications()
    _ = publications.send(item(1), at: .second(0))
    _ = publications.send(try tick(7), at: .second(0))
    let landed = publications.send(item(2), at: .second(0))
    _ = publications.send(item(3), at: .second(0))
    let waiting = item(4)
    publications.enqueue(waiting.subject, waiting.event, origin: Origin())
    let subject = publications.land(landed.number, at: .second(0))?.subject
    #expect(subject == item(2).subject)

    let lost = publications.connectionLost()
    #expect(lost.map(\.subject) == [item(1).subject, try tick(7).subject, item(3).subject])
    #expect(!publications.hasFlights)
    var ready: [Publications.Subject] = []
    while let item = publications.popReady() { ready.append(item.subject) }
    #expect(ready == [item(1), item(3), item(4)].map(\.subject))
    #expect(publications.land(landed.number, at: .second(0)) == nil)
  }

  @Test func unanswered() throws {
    var publications = Publications()
    let first = publications.send(item(1), at: .second(0))
    let second = publications.send(item(2), at: .second(1))
    _ = publications.send(item(3), at: .second(2))
    #expect(publications.unansweredDeadline(after: Self.timeout) == Now.second(30).uptime)
    #expect(publications.popUnanswered(for: Self.timeout, at: .second(29)) == nil)
    _ = publications.land(first.number, at: .second(0))
    #expect(publications.popUnanswered(for: Self.timeout, at: .second(30)) == nil)
    #expect(publications.unansweredDeadline(after: Self.timeout) == Now.second(31).uptime)
    #expect(publications.popUnanswered(for: Self.timeout, at: .second(31))?.subject == item(2).subject)
    #expect(publications.popUnanswered(for: Self.timeout, at: .second(31)) == nil)
    #expect(publications.refusedAnswers == 1)
    let late = publications.confirm(second.number, at: .second(0))
    #expect(late?.subject == item(2).subject, "an answer that comes late is one all the same")
    #expect(publications.refusedAnswers == 0)
  }

  /// A tick without an answer waits outside of the window, and not for ever.
  @Test func overdue() throws {
    var publications = Publications()
    _ = publications.send(try tick(7), at: .second(0))
    _ = publications.send(try tick(8), at: .second(1))
    for second in [30, 31] as [Int64] { _ = publications.popUnanswered(for: Self.timeout, at: .second(second)) }
    #expect(publications.heldTicks == 2)
    #expect(!publications.hasFlights)
    #expect(publications.forlornDeadline(after: 60_000) == Now.second(90).uptime)
    let forlorn = publications.takeForlorn(after: 60_000, at: .second(90))
    #expect(forlorn.map(\.subject) == [try tick(7).subject])
    let lost = publications.connectionLost()
    #expect(lost.map(\.subject) == [try tick(8).subject])
    #expect(publications.heldTicks == 0)
  }

  /// The hour after which a tick is given up is that of its pauses.
  @Test func pausesAddUp() throws {
    var publications = Publications()
    let number = publications.send(try tick(1), at: .second(0)).number
    let landed = publications.land(number, at: .second(0))
    publications.pause(try #require(landed), at: .second(1))
    #expect(publications.heldTicks == 1)
    let popped = publications.popPaused(at: .second(5000))
    #expect(publications.heldTicks == 0)
    let again = publications.send(try #require(popped), at: .second(5000))
    #expect(again.number != number)
    #expect(publications.inFlight(again.number)?.paused == 1000)
  }

  /// One that stays without an answer while tens of thousands are answered is still found, is the oldest, and is the first
  /// to be sent again.
  @Test func stragglersAreKept() {
    var publications = Publications()
    let late = (0..<2).map { _ in publications.send(item(1), at: .second(0)).number }
    for _ in 0..<30_000 {
      let number = publications.send(item(2), at: .second(1)).number
      #expect(publications.land(number, at: .second(1)) != nil)
    }
    #expect(publications.hasFlights)
    #expect(publications.unansweredDeadline(after: 5) == Now.second(0).uptime + 5)
    let returned = publications.returned(late[1])
    #expect(returned?.isReturned == true)
    let confirmed = publications.confirm(late[1], at: .second(2))
    #expect(confirmed?.confirmation == 2000)
    let again = publications.confirm(late[1], at: .second(2))
    #expect(again == nil)
    _ = publications.send(item(3), at: .second(3))
    let lost = publications.connectionLost()
    #expect(lost.map(\.subject) == [item(1).subject, item(3).subject])
    #expect(!publications.hasFlights)
  }
}
