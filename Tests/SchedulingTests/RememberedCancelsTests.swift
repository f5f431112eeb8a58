import Recurrence
import Scheduling
import Testing

@Suite("RememberedCancels")
struct RememberedCancelsTests {
  /// A class, since an expectation cannot change a value.
  private final class Subject {
    var cancels = RememberedCancels(fronts: ["a", "b"], limit: 3)

    func remember(_ cancel: RememberedCancels.Cancel, at time: Int64 = 0) -> Bool {
      cancels.remember(cancel, at: Instant(milliseconds: time))
    }
  }

  private let subject = Subject()

  private static func cancel(_ id: UInt8, _ front: String? = nil, reason: String? = nil) -> RememberedCancels.Cancel {
    .init(messageID: [id], front: front, reason: reason)
  }

  @Test("a cancel takes every message with its id, on its front or on all")
  func takes() {
    #expect(subject.remember(Self.cancel(1)))
    #expect(subject.remember(Self.cancel(2, "a")))
    for _ in 0..<2 {
      #expect(subject.cancels.taking(messageID: [1], front: "a") == Self.cancel(1))
      #expect(subject.cancels.taking(messageID: [1], front: "b") == Self.cancel(1))
      #expect(subject.cancels.taking(messageID: [2], front: "a") == Self.cancel(2, "a"))
    }
    #expect(subject.cancels.taking(messageID: [2], front: "b") == nil)
    #expect(subject.cancels.taking(messageID: [3], front: "a") == nil)
    #expect(subject.cancels.taking(messageID: nil, front: "a") == nil)
  }

  @Test("it is forgotten when every queue that may hold its message was seen empty after it")
  func empty() {
    subject.cancels.sawEmpty(front: "a")
    #expect(subject.remember(Self.cancel(1)))
    #expect(subject.remember(Self.cancel(2, "a")))
    subject.cancels.sawEmpty(front: "b")
    #expect(subject.cancels.count == 2)
    subject.cancels.sawEmpty(front: "a")
    #expect(subject.cancels.count == 0)
    #expect(subject.cancels.taking(messageID: [1], front: "b") == nil)
    #expect(subject.remember(Self.cancel(3, "b")))
    subject.cancels.sawEmpty(front: "a")
    #expect(subject.cancels.taking(messageID: [3], front: "b") != nil)
  }

  @Test("and not longer than the repeat window")
  func window() {
    #expect(subject.remember(Self.cancel(1), at: 10))
    #expect(subject.remember(Self.cancel(2, "a"), at: 20))
    subject.cancels.forget(before: Instant(milliseconds: 10))
    #expect(subject.cancels.count == 2)
    subject.cancels.forget(before: Instant(milliseconds: 20))
    #expect(subject.cancels.taking(messageID: [1], front: "a") == nil)
    #expect(subject.cancels.taking(messageID: [2], front: "a") != nil)
  }

  @Test("a repeated one is remembered as long as the last of them, with its reason")
  func again() {
    #expect(subject.remember(Self.cancel(1, "a", reason: "first"), at: 10))
    #expect(subject.remember(Self.cancel(1, "a", reason: "second"), at: 20))
    #expect(subject.cancels.taking(messageID: [1], front: "a")?.reason == "second")
    subject.cancels.forget(before: Instant(milliseconds: 15))
    #expect(subject.cancels.taking(messageID: [1], front: "a")?.reason == "second")
    subject.cancels.forget(before: Instant(milliseconds: 25))
    #expect(subject.cancels.taking(messageID: [1], front: "a") == nil)
    #expect(subject.cancels.count == 0)
  }

  @Test("over the limit, and for a front without a queue, it is not remembered")
  func limit() {
    for id in 1...3 as ClosedRange<UInt8> { #expect(subject.remember(Self.cancel(id))) }
    #expect(!subject.remember(Self.cancel(4)))
    #expect(subject.cancels.taking(messageID: [4], front: "a") == nil)
    #expect(subject.cancels.taking(messageID: [1], front: "a") != nil)
    subject.cancels.sawEmpty(front: "a")
    subject.cancels.sawEmpty(front: "b")
    #expect(subject.remember(Self.cancel(4)))
    #expect(!subject.remember(Self.cancel(5, "c")))
    subject.cancels = RememberedCancels(fronts: [])
    #expect(!subject.remember(Self.cancel(1)))
  }
}
