import AMQP
import Testing

struct OutboxTests {
  private let start = SuspendingClock.now

  private func message(id: String? = nil, key: String = "k") -> Message {
    var properties = Properties()
    properties.messageID = id.map { Array($0.utf8) }
    return Message(exchange: "e", routingKey: key, mandatory: true, properties: properties, body: [])
  }

  private func batch(_ numbers: some Sequence<UInt64>) -> MessageBatch {
    batch(numbers.map { ($0, message()) })
  }

  private func batch(_ messages: [(UInt64, Message)]) -> MessageBatch {
    MessageBatch(frameMax: 4096) { batch in
      for (number, message) in messages { batch.add(message, number: number) }
    }
  }

  private func returned(id: String?, key: String = "k") -> ReturnedMessage {
    var properties = Properties()
    properties.messageID = id.map { Array($0.utf8) }
    return ReturnedMessage(code: 312, text: "", exchange: "e", routingKey: Array(key.utf8), properties: properties)
  }

  /// Sends what may be sent and returns its numbers.
  private func sendAll(_ outbox: inout Outbox) -> [UInt64] {
    var numbers: [UInt64] = []
    while let slice = outbox.takeNext(atMostBytes: .max, at: start) { numbers += slice.numbers }
    return numbers
  }

  @Test func theFirstGoesAloneThenTheWindowFills() {
    var outbox = Outbox(window: 3)
    outbox.add(batch(10..<20))
    #expect(sendAll(&outbox) == [10])
    #expect(outbox.settle(1, multiple: false) == [10])
    #expect(sendAll(&outbox) == [11, 12, 13])
    #expect(outbox.settle(3, multiple: false) == [12])
    #expect(sendAll(&outbox) == [14])
    #expect(outbox.settle(5, multiple: true) == [11, 13, 14])
    #expect(sendAll(&outbox) == [15, 16, 17])
    #expect(!outbox.isEmpty)
  }

  /// One message that is never confirmed, as by a queue without its majority, holds up no other.
  @Test func theFirstGoesAloneForASecondAtMost() {
    var outbox = Outbox(window: 3)
    outbox.add(batch([1]))
    #expect(outbox.nextAdvance == nil, "nothing was sent yet")
    outbox.advance(to: start + .seconds(60))
    #expect(sendAll(&outbox) == [1])
    #expect(outbox.nextAdvance == nil, "nothing waits")
    outbox.add(batch(2...9))
    #expect(outbox.nextAdvance == start + Outbox.trialTime)
    outbox.advance(to: start + Outbox.trialTime - .milliseconds(1))
    #expect(sendAll(&outbox) == [])
    outbox.advance(to: start + Outbox.trialTime)
    #expect(sendAll(&outbox) == [2, 3])
    #expect(outbox.nextAdvance == nil, "only a confirm makes room")
  }

  @Test func anAlarmKeepsTheWindowShut() {
    var outbox = Outbox(window: 3)
    outbox.add(batch(1...9))
    #expect(sendAll(&outbox) == [1])
    outbox.isBlocked = true
    #expect(outbox.nextAdvance == nil)
    outbox.advance(to: start + .seconds(60))
    #expect(sendAll(&outbox) == [])
    outbox.isBlocked = false
    #expect(sendAll(&outbox) == [2, 3])
  }

  @Test func sendsNothingWhileBlocked() {
    var outbox = Outbox(window: 3)
    outbox.isBlocked = true
    outbox.add(batch([1]))
    #expect(sendAll(&outbox) == [])
    outbox.isBlocked = false
    #expect(sendAll(&outbox) == [1])
  }

  @Test func goesOneMessageBeyondTheBytesThatAreAskedFor() {
    var outbox = Outbox(window: 9)
    outbox.add(batch(0..<1))
    _ = sendAll(&outbox)
    _ = outbox.settle(1, multiple: false)
    outbox.add(batch(1..<4))
    outbox.add(batch(4..<5))
    let size = batch(0..<1).withBytes(\.count)
    #expect(outbox.takeNext(atMostBytes: size + 1, at: start)?.numbers == [1, 2])
    #expect(outbox.takeNext(atMostBytes: size, at: start)?.numbers == [3])
    #expect(outbox.takeNext(atMostBytes: 9 * size, at: start)?.numbers == [4], "a batch by itself")
    #expect(!outbox.hasNext)
  }

  @Test func dropsWhatCannotBeSent() {
    var outbox = Outbox(window: 3)
    let tooLong = message(key: String(repeating: "k", count: 256))
    let nothing = batch([(1, tooLong)])
    #expect(nothing.unsendable.map(\.number) == [1])
    outbox.add(nothing)
    #expect(outbox.isEmpty && !outbox.hasNext)
    outbox.add(batch([(1, tooLong), (2, message())]))
    #expect(sendAll(&outbox) == [2])
    #expect(outbox.settle(1, multiple: false) == [2])
    #expect(outbox.isEmpty)
  }

  @Test func refusesUnknownConfirms() {
    var outbox = Outbox(window: 3)
    outbox.add(batch([1]))
    #expect(outbox.settle(1, multiple: false) == nil)
  }

  @Test func findsTheReturnedMessage() {
    var outbox = Outbox(window: 9)
    outbox.add(batch([0]))
    _ = sendAll(&outbox)
    _ = outbox.settle(1, multiple: false)
    outbox.add(
      batch([
        (1, message(id: "a")), (2, message(id: "b")), (3, message(id: "b")), (4, message(id: "b", key: "other")),
        (5, message()),
      ]))
    _ = sendAll(&outbox)
    #expect(outbox.noteReturned(returned(id: "b")) == 2)
    #expect(outbox.noteReturned(returned(id: "b", key: "other")) == 4)
    #expect(outbox.noteReturned(returned(id: "b")) == 3)
    #expect(outbox.noteReturned(returned(id: "b")) == nil)
    #expect(outbox.noteReturned(returned(id: nil)) == 5)
    #expect(outbox.noteReturned(returned(id: "unknown")) == nil)
    #expect(outbox.settle(0, multiple: true) == [1, 2, 3, 4, 5])
  }

  /// Every number comes back exactly once, in any order of confirms, and the window is never passed.
  @Test(arguments: 0..<10)
  func settlesEveryNumberOnce(seed: UInt64) {
    var generator = SeededGenerator(seed: seed)
    var outbox = Outbox(window: 16)
    var (given, sent, settled): (UInt64, UInt64, [UInt64]) = (0, 0, [])
    while given < 2_000 || settled.count < given {
      if given < 2_000, Bool.random(using: &generator) {
        let count = UInt64.random(in: 1...8, using: &generator)
        outbox.add(batch(given..<given + count))
        given += count
      }
      outbox.isBlocked = Int.random(in: 0..<10, using: &generator) == 0
      sent += UInt64(sendAll(&outbox).count)
      #expect(sent - UInt64(settled.count) <= 16)
      if sent > 0 {
        let sequence = UInt64.random(in: 1...sent, using: &generator)
        settled += outbox.settle(sequence, multiple: Bool.random(using: &generator)) ?? []
      }
    }
    let isComplete = settled.sorted().elementsEqual(0..<given)
    #expect(isComplete)
  }
}
