import Recurrence
import Scheduling
import SchedulingTestKit
import Testing

@Suite("Rules of delayed messages")
struct MessageRulesTests {
  private static let now = Instant(milliseconds: 1_795_000_000_000)

  @Test(
    "a message is published, kept or rejected by its delay, its size and the year 9999",
    arguments: [
      (.none, 5, .publish), (.milliseconds(-1), 5, .publish), (.milliseconds(.min), 0, .publish),
      (.milliseconds(1), 10, .keep(until: Instant(milliseconds: 1_795_000_000_001))),
      (.milliseconds(253_402_300_799_999 - 1_795_000_000_000), 0, .keep(until: ArrivalDecision.lastDue)),
      (
        .milliseconds(253_402_300_800_000 - 1_795_000_000_000), 0,
        .reject(reason: "x-delay ends after the year 9999")
      ),
      (.milliseconds(.max), 0, .reject(reason: "x-delay ends after the year 9999")),
      (.unreadable("no"), 0, .reject(reason: "no")),
      (.milliseconds(1), 11, .reject(reason: "its body has 11 bytes; the limit is 10")),
      (.none, .max, .reject(reason: "its body has 18446744073709551615 bytes; the limit is 10")),
    ] as [(MessageDelay, UInt64, ArrivalDecision)])
  func arrival(delay: MessageDelay, bytes: UInt64, decision: ArrivalDecision) {
    #expect(ArrivalDecision(delay, from: Self.now, bodyBytes: bytes, maximumBodyBytes: 10) == decision)
  }

  @Test("counted from an earlier time at the broker, it may be due already, and is kept all the same")
  func pastBase() {
    let base = Instant(milliseconds: -5)
    let decision = ArrivalDecision(.milliseconds(3), from: base, bodyBytes: 0, maximumBodyBytes: 0)
    #expect(decision == .keep(until: Instant(milliseconds: -2)))
  }

  @Test(
    "what becomes of a published message",
    arguments: [
      (.confirmed, false, 0, .done), (.nacked, true, 1, .backOff), (.refused(code: 404), true, 1, .holdBack),
      (.refused(code: 403), false, 0, .holdBack), (.refused(code: 406), false, 0, .publishAlone),
      (.refused(code: 406), false, 1, .publishAlone), (.refused(code: 541), true, 0, .publishAlone),
      (.refused(code: 541), true, 1, .dead(reason: "the broker refuses it (541)")),
      (.returned, false, 0, .dead(reason: "no queue is bound to its exchange with its routing key")),
    ] as [(MessageResult, Bool, Int, MessageFate)])
  func fate(result: MessageResult, wasAlone: Bool, refusals: Int, fate: MessageFate) {
    #expect(MessageFate(result, wasAlone: wasAlone, refusalsAlone: refusals) == fate)
  }

  // MARK: Selecting

  private static let pending: [PendingMessage.Summary] = [
    .sample(1, id: [1], key: [7]), .sample(2, id: [1], front: "b"), .sample(3, id: nil), .sample(4, id: [1], key: []),
    .sample(5, id: [2], front: "b", key: [7]),
  ]

  @Test(
    "a selection takes what it names, and nothing else",
    arguments: [
      (.id([1], front: nil), [1, 2, 4]), (.id([1], front: "a"), [1, 4]), (.id([], front: nil), []),
      (.front("a", routingKey: nil), [1, 3, 4]), (.front("a", routingKey: []), [4]),
      (.front("b", routingKey: [7]), [5]),
      (.front("c", routingKey: nil), []),
    ] as [(MessageSelection, [Int64])])
  func selection(selection: MessageSelection, numbers: [Int64]) {
    let choice = MessageChoice(selection, among: Self.pending, limit: 9) { _ in false }
    #expect(choice.cancelling == numbers.map { .remove($0) })
    #expect(choice.moving(to: Self.now) == numbers.map { .move($0, due: Self.now) })
    #expect((choice == .nothing) == numbers.isEmpty)
  }

  @Test("more than the limit changes nothing, and what is in flight does not count")
  func limit() {
    let selection = MessageSelection.id([1], front: nil)
    let choice = { (limit: Int, inFlight: Set<Int64>) in
      MessageChoice(selection, among: Self.pending, limit: limit, isInFlight: inFlight.contains)
    }
    #expect(choice(2, []) == .tooMany(limit: 2))
    #expect(choice(2, []).cancelling.isEmpty)
    #expect(choice(2, []).moving(to: Self.now).isEmpty)
    #expect(choice(3, []).cancelling.count == 3)
    #expect(choice(2, [2]).cancelling == [.remove(1), .remove(4)])
    #expect(choice(2, [1, 2, 4]) == .nothing)
  }
}

extension PendingMessage.Summary {
  fileprivate static func sample(
    _ sequence: Int64, id: [UInt8]?, front: String = "a", key: [UInt8] = [1]
  ) -> PendingMessage.Summary {
    PendingMessage.sample(sequence, due: 1, route: MessageRoute(front: front, back: "x"), key: key, id: id).summary
  }
}
