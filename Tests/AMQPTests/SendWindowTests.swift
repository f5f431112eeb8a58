import AMQP
import Testing

struct SendWindowTests {
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

  /// Sends all messages that may be sent and returns their numbers.
  private func sendAll(_ sendWindow: inout SendWindow) -> [UInt64] {
    var numbers: [UInt64] = []
    while let slice = sendWindow.takeNext(atMostBytes: .max, at: start) { numbers += slice.numbers }
    return numbers
  }

  @Test func theFirstMessageIsAloneThenTheWindowFills() {
    var sendWindow = SendWindow(window: 3)
    sendWindow.add(batch(10..<20))
    #expect(sendAll(&sendWindow) == [10])
    #expect(sendWindow.resolve(1, multiple: false) == [10])
    #expect(sendAll(&sendWindow) == [11, 12, 13])
    #expect(sendWindow.resolve(3, multiple: false) == [12])
    #expect(sendAll(&sendWindow) == [14])
    #expect(sendWindow.resolve(5, multiple: true) == [11, 13, 14])
    #expect(sendAll(&sendWindow) == [15, 16, 17])
    #expect(!sendWindow.isEmpty)
  }

  /// A message that is never confirmed, as by a queue without its majority, does not delay others.
  @Test func theFirstMessageIsAloneForASecondAtMost() {
    var sendWindow = SendWindow(window: 3)
    sendWindow.add(batch([1]))
    #expect(sendWindow.nextAdvance == nil, "nothing was sent yet")
    sendWindow.advance(to: start + .seconds(60))
    #expect(sendAll(&sendWindow) == [1])
    #expect(sendWindow.nextAdvance == nil, "nothing waits")
    sendWindow.add(batch(2...9))
    #expect(sendWindow.nextAdvance == start + SendWindow.trialTime)
    sendWindow.advance(to: start + SendWindow.trialTime - .milliseconds(1))
    #expect(sendAll(&sendWindow) == [])
    sendWindow.advance(to: start + SendWindow.trialTime)
    #expect(sendAll(&sendWindow) == [2, 3])
    #expect(sendWindow.nextAdvance == nil, "only a confirm makes room")
  }

  @Test func anAlarmKeepsTheWindowShut() {
    var sendWindow = SendWindow(window: 3)
    sendWindow.add(batch(1...9))
    #expect(sendAll(&sendWindow) == [1])
    sendWindow.isBlocked = true
    #expect(sendWindow.nextAdvance == nil)
    sendWindow.advance(to: start + .seconds(60))
    #expect(sendAll(&sendWindow) == [])
    sendWindow.isBlocked = false
    #expect(sendAll(&sendWindow) == [2, 3])
  }

  @Test func sendsNothingWhileBlocked() {
    var sendWindow = SendWindow(window: 3)
    sendWindow.isBlocked = true
    sendWindow.add(batch([1]))
    #expect(sendAll(&sendWindow) == [])
    sendWindow.isBlocked = false
    #expect(sendAll(&sendWindow) == [1])
  }

  @Test func exceedsTheLimitOfBytesByOneMessage() {
    var sendWindow = SendWindow(window: 9)
    sendWindow.add(batch(0..<1))
    _ = sendAll(&sendWindow)
    _ = sendWindow.resolve(1, multiple: false)
    sendWindow.add(batch(1..<4))
    sendWindow.add(batch(4..<5))
    let size = batch(0..<1).withBytes(\.count)
    #expect(sendWindow.takeNext(atMostBytes: size + 1, at: start)?.numbers == [1, 2])
    #expect(sendWindow.takeNext(atMostBytes: size, at: start)?.numbers == [3])
    #expect(sendWindow.takeNext(atMostBytes: 9 * size, at: start)?.numbers == [4], "a batch of its own")
    #expect(!sendWindow.hasNext)
  }

  @Test func dropsUnsendableMessages() {
    var sendWindow = SendWindow(window: 3)
    let tooLong = message(key: String(repeating: "k", count: 256))
    let nothing = batch([(1, tooLong)])
    #expect(nothing.unsendable.map(\.number) == [1])
    sendWindow.add(nothing)
    #expect(sendWindow.isEmpty && !sendWindow.hasNext)
    sendWindow.add(batch([(1, tooLong), (2, message())]))
    #expect(sendAll(&sendWindow) == [2])
    #expect(sendWindow.resolve(1, multiple: false) == [2])
    #expect(sendWindow.isEmpty)
  }

  @Test func rejectsUnknownConfirms() {
    var sendWindow = SendWindow(window: 3)
    sendWindow.add(batch([1]))
    #expect(sendWindow.resolve(1, multiple: false) == nil)
  }

  @Test func findsTheReturnedMessage() {
    var sendWindow = SendWindow(window: 9)
    sendWindow.add(batch([0]))
    _ = sendAll(&sendWindow)
    _ = sendWindow.resolve(1, multiple: false)
    sendWindow.add(
      batch([
        (1, message(id: "a")), (2, message(id: "b")), (3, message(id: "b")), (4, message(id: "b", key: "other")),
        (5, message()),
      ]))
    _ = sendAll(&sendWindow)
    #expect(sendWindow.noteReturned(returned(id: "b")) == 2)
    #expect(sendWindow.noteReturned(returned(id: "b", key: "other")) == 4)
    #expect(sendWindow.noteReturned(returned(id: "b")) == 3)
    #expect(sendWindow.noteReturned(returned(id: "b")) == nil)
    #expect(sendWindow.noteReturned(returned(id: nil)) == 5)
    #expect(sendWindow.noteReturned(returned(id: "unknown")) == nil)
    #expect(sendWindow.resolve(0, multiple: true) == [1, 2, 3, 4, 5])
  }

  /// Every number is returned exactly once, in any order of confirms, and the window is never exceeded.
  @Test(arguments: 0..<10)
  func settlesEveryNumberOnce(seed: UInt64) {
    var generator = SeededGenerator(seed: seed)
    var sendWindow = SendWindow(window: 16)
    var (given, sent, settled): (UInt64, UInt64, [UInt64]) = (0, 0, [])
    while given < 2_000 || settled.count < given {
      if given < 2_000, Bool.random(using: &generator) {
        let count = UInt64.random(in: 1...8, using: &generator)
        sendWindow.add(batch(given..<given + count))
        given += count
      }
      sendWindow.isBlocked = Int.random(in: 0..<10, using: &generator) == 0
      sent += UInt64(sendAll(&sendWindow).count)
      #expect(sent - UInt64(settled.count) <= 16)
      if sent > 0 {
        let sequence = UInt64.random(in: 1...sent, using: &generator)
        settled += sendWindow.resolve(sequence, multiple: Bool.random(using: &generator)) ?? []
      }
    }
    let isComplete = settled.sorted().elementsEqual(0..<given)
    #expect(isComplete)
  }
}
