import Recurrence
import Simulation
import Testing

@testable import Scheduling

struct PublicationsTests {
  private static let timeout: Int64 = 30_000

  private func item(_ tag: UInt64) -> Publications.Item {
    Publications.Item(
      subject: .answer(.delivery(tag: tag), channel: 1, .acknowledge),
      content: .event(.rejected(Rejection(command: "test", field: "\(tag)", reason: ""))), origin: Origin())
  }

  private func tick(_ generation: Int64) throws -> Publications.Item {
    let definition = Definition(id: "a", timing: try Timing(every: "1s"))
    let tick = Tick(definition: definition, generation: generation, counter: 0, slot: .noon, missed: 0, nextSlot: nil)
    return Publications.Item(subject: .tick(generation: generation), content: .event(.tick(tick)), origin: Origin())
  }

  private let settings = Engine.Settings()

  /// 1, 2, 4 … 60 seconds, and it stays at 60.
  @Test func backOffsDouble() throws {
    var publications = Publications()
    publications.opened(epoch: 1)
    var next = item(1)
    var second: Int64 = 0
    for pause in [1, 2, 4, 8, 16, 32, 60, 60, 60] as [Int64] {
      publications.backOff(next, at: .second(second))
      #expect(publications.nextDeadline(settings, canRetry: true) == Now.second(second + pause).uptime)
      #expect(publications.nextDeadline(settings, canRetry: false) == nil)
      #expect(publications.popBackedOff(at: Now(wall: .noon, uptime: Now.second(second + pause).uptime - 1)) == nil)
      second += pause
      let popped = publications.popBackedOff(at: .second(second))
      next = try #require(popped)
    }
    #expect(next.refusals == 9)
    #expect(next.backedOffMilliseconds == 243_000)
    #expect(publications.popBackedOff(at: .second(second + 100)) == nil)
  }

  /// What backs off to the same millisecond comes back in the order in which it was refused.
  @Test func backOffsKeepOrder() {
    var publications = Publications()
    for tag in 1...20 as ClosedRange<UInt64> { publications.backOff(item(tag), at: .second(0)) }
    var order: [Publications.Subject] = []
    while let item = publications.popBackedOff(at: .second(1)) { order.append(item.subject) }
    #expect(order == (1...20).map { item($0).subject })
  }

  @Test func stateFollowsTheConnection() {
    var publications = Publications()
    #expect(publications.epoch == nil)
    #expect(publications.stalledSince == nil, "nothing has failed yet")
    _ = publications.connectionLost(at: .second(1))
    _ = publications.connectionLost(at: .second(2))
    #expect(publications.stalledSince == Now.second(1).uptime)
    publications.block(at: .second(3))
    #expect(publications.state == .away, "there is nothing to block")
    publications.opened(epoch: 5)
    #expect(publications.epoch == 5)
    #expect(publications.stalledSince == nil)
    publications.block(at: .second(4))
    #expect(publications.state == .blocked(epoch: 5))
    #expect(!publications.isOpen)
    #expect(publications.stalledSince == Now.second(4).uptime)
    _ = publications.connectionLost(at: .second(5))
    #expect(publications.stalledSince == Now.second(4).uptime)
    publications.unblock(at: .second(6))
    #expect(publications.state == .away)
    publications.opened(epoch: 6)
    publications.block(at: .second(7))
    publications.unblock(at: .second(8))
    #expect(publications.state == .open(epoch: 6))
    #expect(publications.stalledSince == nil)
  }

  /// Outcomes that were in flight go out first and in their order; ticks are left to the window.
  @Test func connectionLost() throws {
    var publications = Publications()
    _ = publications.send(item(1), at: .second(0))
    _ = publications.send(try tick(7), at: .second(0))
    let confirmed = publications.send(item(2), at: .second(0))
    _ = publications.send(item(3), at: .second(0))
    let waiting = item(4)
    publications.enqueue(waiting.subject, waiting.content, origin: Origin())
    let subject = publications.resolve(confirmed.number, at: .second(0))?.subject
    #expect(subject == item(2).subject)

    let lost = publications.connectionLost(at: .second(0))
    #expect(lost.map(\.subject) == [item(1).subject, try tick(7).subject, item(3).subject])
    #expect(!publications.hasInFlight)
    var ready: [Publications.Subject] = []
    while let item = publications.popReady() { ready.append(item.subject) }
    #expect(ready == [item(1), item(3), item(4)].map(\.subject))
    #expect(publications.resolve(confirmed.number, at: .second(0)) == nil)
  }

  @Test func confirmTimeout() throws {
    var publications = Publications()
    publications.opened(epoch: 1)
    let first = publications.send(item(1), at: .second(0))
    let second = publications.send(item(2), at: .second(1))
    _ = publications.send(item(3), at: .second(2))
    #expect(publications.nextDeadline(settings, canRetry: false) == Now.second(30).uptime)
    #expect(publications.popUnconfirmed(for: Self.timeout, at: .second(29)) == nil)
    _ = publications.resolve(first.number, at: .second(0))
    #expect(publications.popUnconfirmed(for: Self.timeout, at: .second(30)) == nil)
    #expect(publications.nextDeadline(settings, canRetry: true) == Now.second(31).uptime)
    #expect(publications.popUnconfirmed(for: Self.timeout, at: .second(31))?.subject == item(2).subject)
    #expect(publications.popUnconfirmed(for: Self.timeout, at: .second(31)) == nil)
    let late = publications.resolve(second.number, at: .second(0))
    #expect(late?.subject == item(2).subject, "a late confirm still applies")
  }

  /// A tick without a confirm waits outside of the window, and not forever.
  @Test func timedOutTicksExpire() throws {
    var publications = Publications()
    publications.opened(epoch: 1)
    for (generation, second) in [(7, 0), (8, 1), (9, 2)] as [(Int64, Int64)] {
      _ = publications.send(try tick(generation), at: .second(second))
    }
    for second in [30, 31, 32] as [Int64] { _ = publications.popUnconfirmed(for: Self.timeout, at: .second(second)) }
    #expect(publications.heldTicks == 3)
    #expect(!publications.hasInFlight)
    #expect(publications.nextDeadline(settings, canRetry: true) == Now.second(30 + 3600).uptime)
    _ = publications.resolve(1, at: .second(40))
    #expect(publications.nextDeadline(settings, canRetry: true) == Now.second(31 + 3600).uptime)
    #expect(publications.popExpiredTick(after: 60_000, at: .second(90)) == nil)
    let expired = publications.popExpiredTick(after: 60_000, at: .second(91))
    #expect(try expired?.subject == tick(8).subject)
    #expect(publications.popExpiredTick(after: 60_000, at: .second(91)) == nil)
    let lost = publications.connectionLost(at: .second(91))
    #expect(lost.map(\.subject) == [try tick(9).subject])
    #expect(publications.heldTicks == 0)
  }

  /// An outcome expires sooner, unless its row is its outbox: then it gets as long again, and holds up none behind it.
  @Test func timedOutOutcomesExpire() {
    var publications = Publications()
    publications.opened(epoch: 1)
    for tag in 1...3 as ClosedRange<UInt64> { _ = publications.send(item(tag), at: .second(0)) }
    for _ in 1...3 { _ = publications.popUnconfirmed(for: Self.timeout, at: .second(30)) }
    let kept = item(1).subject
    let early = publications.popExpiredOutcome(after: 300_000, at: .second(329)) { _ in false }
    #expect(early == nil)
    var expired: [Publications.Subject] = []
    while let item = publications.popExpiredOutcome(after: 300_000, at: .second(330), unless: { $0.subject == kept }) {
      expired.append(item.subject)
    }
    #expect(expired == [item(2).subject, item(3).subject])
    #expect(publications.nextDeadline(settings, canRetry: true) == Now.second(630).uptime)
    let last = publications.popExpiredOutcome(after: 300_000, at: .second(630)) { _ in false }
    #expect(last?.subject == kept)
    #expect(publications.nextDeadline(settings, canRetry: true) == nil)
  }

  /// Time in which the broker blocked counts for nothing.
  @Test func blockedTimeDoesNotCountAsTimeout() throws {
    var publications = Publications()
    publications.opened(epoch: 1)
    _ = publications.send(try tick(7), at: .second(0))
    _ = publications.popUnconfirmed(for: Self.timeout, at: .second(30))
    _ = publications.send(item(1), at: .second(30))
    publications.block(at: .second(40))
    #expect(publications.nextDeadline(settings, canRetry: true) == nil)
    publications.unblock(at: .second(5000))
    #expect(publications.popUnconfirmed(for: Self.timeout, at: .second(5029)) == nil)
    #expect(publications.popExpiredTick(after: settings.tickExpiryMilliseconds, at: .second(5000)) == nil)
    #expect(publications.nextDeadline(settings, canRetry: true) == Now.second(5030).uptime)
  }

  /// The hour after which a tick expires is that of its back-offs.
  @Test func backOffsAddUp() throws {
    var publications = Publications()
    let number = publications.send(try tick(1), at: .second(0)).number
    let refused = publications.resolve(number, at: .second(0))
    publications.backOff(try #require(refused), at: .second(1))
    #expect(publications.heldTicks == 1)
    let popped = publications.popBackedOff(at: .second(5000))
    #expect(publications.heldTicks == 0)
    let again = publications.send(try #require(popped), at: .second(5000))
    #expect(again.number != number)
    #expect(publications.unresolved(again.number)?.backedOffMilliseconds == 1000)
  }

  /// One that stays unconfirmed while tens of thousands are confirmed is still found, is the oldest, and is the first
  /// to be sent again.
  /// After a step of the clock, an earlier slot of the same schedule may still back off.
  @Test func allTicksOfAScheduleAreDropped() throws {
    var publications = Publications()
    publications.opened(epoch: 1)
    for _ in 0..<2 { publications.backOff(try tick(1), at: .second(0)) }
    publications.backOff(try tick(2), at: .second(0))
    let isDropped = publications.dropTicks(of: 1)
    #expect(isDropped && publications.heldTicks == 1)
    let subjects = (0..<3).map { _ in publications.popBackedOff(at: .second(100))?.subject }
    #expect(subjects == [.tick(generation: 2), nil, nil])
  }

  /// Likewise, one may be timed out.
  @Test func allTimedOutTicksOfAScheduleAreDropped() throws {
    var publications = Publications()
    publications.opened(epoch: 1)
    for generation in [1, 1, 1, 2] as [Int64] { _ = publications.send(try tick(generation), at: .second(0)) }
    for _ in 0..<4 { _ = publications.popUnconfirmed(for: Self.timeout, at: .second(30)) }
    let isDropped = publications.dropTicks(of: 1)
    #expect(isDropped && publications.heldTicks == 1)
  }

  @Test func stragglersAreKept() {
    var publications = Publications()
    publications.opened(epoch: 1)
    let late = (0..<2).map { _ in publications.send(item(1), at: .second(0)).number }
    for _ in 0..<30_000 {
      let number = publications.send(item(2), at: .second(1)).number
      #expect(publications.resolve(number, at: .second(1)) != nil)
    }
    #expect(publications.hasInFlight)
    #expect(publications.nextDeadline(settings, canRetry: true) == Now.second(0).uptime + Self.timeout)
    let returned = publications.returned(late[1])
    #expect(returned?.isReturned == true)
    let confirmed = publications.resolve(late[1], at: .second(2))
    #expect(confirmed?.confirmation == 2000)
    let again = publications.resolve(late[1], at: .second(2))
    #expect(again == nil)
    _ = publications.send(item(3), at: .second(3))
    let lost = publications.connectionLost(at: .second(4))
    #expect(lost.map(\.subject) == [item(1).subject, item(3).subject])
    #expect(!publications.hasInFlight)
  }
}
