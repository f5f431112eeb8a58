import AMQP
import Synchronization
import Testing

/// `Consumer` against a real broker, on a queue like the command queue.
@Suite(.enabled(if: AMQPTest.url != nil, "\(AMQPTest.missing)"), .timeLimit(.minutes(2)))
struct AMQPConsumerTests {
  private static let quorum: Table = ["x-queue-type": "quorum", "x-single-active-consumer": true]
  private let events = EventQueue<Consumer.Event>()

  private func consumer(
    of queue: String, prefetch: UInt16 = 100, setup: @escaping @Sendable (Connection) throws -> Void = { _ in }
  ) throws -> Consumer {
    try Consumer(
      options: AMQPTest.options(), queue: queue, prefetch: prefetch, setup: setup,
      onEvent: { [events] in events.add($0) })
  }

  /// The texts of the next `count` deliveries, unacknowledged.
  private func take(_ count: Int) async throws -> [Delivery] {
    var taken: [Delivery] = []
    while taken.count < count { taken += try await events.deliveries() }
    return taken
  }

  /// A whole prefetch is delivered at once, in order, without duplicates.
  @Test(arguments: [quorum, [:]])
  func takesAWindowAtOnce(arguments: Table) async throws {
    try await AMQPTest.withQueue(arguments) { queue, admin in
      let texts = (0..<50).map { "\($0)" }
      try AMQPTest.fill(queue, texts)
      let consumer = try consumer(of: queue)
      try consumer.start()
      let epoch = try await events.up()
      let taken = try await take(50)
      #expect(taken.map(\.text) == texts)
      #expect(taken.allSatisfy { !$0.redelivered })
      consumer.acknowledge(taken[49].tag, multiple: true, epoch: epoch)
      consumer.stop()
      #expect(try admin.checkQueue(queue)?.messages == 0)
    }
  }

  /// Two interruptions in a row: messages returned by the second come after the others, and the counts restore the order.
  @Test func countsRestoreTheOrder() async throws {
    try await AMQPTest.withQueue(Self.quorum) { queue, _ in
      let texts = (0..<20).map { "\($0)" }
      try AMQPTest.fill(queue, texts)
      for held in [20, 7, 3] as [UInt16] {
        let crashing = try AMQPTest.connect()
        try crashing.consume(queue, prefetch: held)
        for _ in 0..<held { _ = try crashing.nextEvent() }
        crashing.close()
      }
      let consumer = try consumer(of: queue)
      try consumer.start()
      let server = try await events.first { if case .up(_, let server) = $0 { server } else { nil } }
      let taken = try await take(20)
      #expect(taken.allSatisfy { $0.redelivered })
      #expect(taken.map(\.text) != texts, "the broker does not return in order")
      let sorted = taken.enumerated().sorted { left, right in
        let (many, few) = (left.element.deliveryCount(by: server), right.element.deliveryCount(by: server))
        return many == few ? left.offset < right.offset : many > few
      }
      #expect(sorted.map(\.element.text) == texts)
      consumer.stop()
    }
  }

  /// `exhausted` is reported once, when all returned messages have arrived and no other follows.
  @Test func saysWhenNothingIsLeftOfWhatWasReturned() async throws {
    try await AMQPTest.withQueue(Self.quorum) { queue, _ in
      try AMQPTest.fill(queue, ["a", "b", "c"])
      let crashing = try AMQPTest.connect()
      try crashing.consume(queue, prefetch: 3)
      for _ in 0..<3 { _ = try crashing.nextEvent() }
      crashing.close()
      let consumer = try consumer(of: queue, prefetch: 2)
      try consumer.start()
      let epoch = try await events.up()
      let taken = try await take(2)
      #expect(taken.map(\.text) == ["a", "b"])
      consumer.acknowledge(taken[0].tag, epoch: epoch)
      #expect(try await events.deliveries().map(\.text) == ["c"], "before `exhausted`")
      guard case .exhausted(let reported) = try await events.next(), reported == epoch else {
        throw Unexpected("something else")
      }
      consumer.acknowledge(taken[1].tag, epoch: epoch)
      try AMQPTest.fill(queue, ["d"])
      #expect(try await events.deliveries().map(\.text) == ["d"])
      consumer.stop()
    }
  }

  /// Reading stops when there is no room, and continues when there is.
  @Test func readsNoMoreThanThereIsRoomFor() async throws {
    try await AMQPTest.withQueue(Self.quorum) { queue, _ in
      try AMQPTest.fill(queue, (0..<40).map { "\($0)" }, padding: 100_000)
      let consumer = try Consumer(
        options: AMQPTest.options(), queue: queue, prefetch: 100, maximumBytes: 1_000_000,
        onEvent: { [events] in events.add($0) })
      try consumer.start()
      let epoch = try await events.up()
      var bytes = 0
      // One more is read every two seconds, for the heartbeats; after five seconds congestion is reported.
      let reported = try await events.first { event -> UInt64? in
        switch event {
        case .deliveries(let deliveries, _): bytes += deliveries.reduce(0) { $0 + $1.body.count }
        case .congested(let epoch): return epoch
        default: break
        }
        return nil
      }
      #expect(reported == epoch)
      #expect((1_000_000...1_500_000).contains(bytes))
      var released = 0
      while bytes < 4_000_000 {
        consumer.release(bytes: bytes - released, epoch: epoch)
        released = bytes
        bytes += try await events.first {
          if case .deliveries(let deliveries, _) = $0 { deliveries.reduce(0) { $0 + $1.body.count } } else { nil }
        }
      }
      consumer.stop()
    }
  }

  @Test func aPauseGivesBackInOrder() async throws {
    try await AMQPTest.withQueue(Self.quorum) { queue, admin in
      let texts = (0..<20).map { "\($0)" }
      try AMQPTest.fill(queue, texts)
      let consumer = try consumer(of: queue)
      try consumer.start()
      let first = try await events.up()
      let taken = try await take(20)
      consumer.acknowledge(taken[4].tag, multiple: true, epoch: first)
      consumer.suspend()
      _ = try await events.first { if case .suspended = $0 { true } else { nil } }
      try await until("all of them back in the queue") {
        try admin.checkQueue(queue).map { [$0.messages, $0.consumers] } == [15, 0]
      }

      consumer.resume()
      let second = try await events.up()
      #expect(second == first + 1)
      // Stale: must not touch the deliveries of the new channel, whose tags begin at 1 again.
      consumer.acknowledge(taken[9].tag, multiple: true, epoch: first)
      let again = try await take(15)
      #expect(again.map(\.text) == Array(texts[5...]))
      #expect(again.allSatisfy { $0.redelivered })
      consumer.acknowledge(again[14].tag, multiple: true, epoch: second)
      consumer.stop()
      #expect(try admin.checkQueue(queue)?.messages == 0)
    }
  }

  @Test func aLostConnectionGivesBackInOrder() async throws {
    try await AMQPTest.withQueue(Self.quorum) { queue, admin in
      let texts = (0..<6).map { "\($0)" }
      try AMQPTest.fill(queue, texts)
      let lost = try consumer(of: queue)
      try lost.start()
      #expect(try await take(texts.count).map(\.text) == texts)
      lost.stop()

      let consumer = try consumer(of: queue)
      try consumer.start()
      let epoch = try await events.up()
      let again = try await take(texts.count)
      #expect(again.map(\.text) == texts)
      #expect(again.allSatisfy { $0.redelivered })
      consumer.acknowledge(again[5].tag, multiple: true, epoch: epoch)
      consumer.stop()
      #expect(try admin.checkQueue(queue)?.messages == 0)
    }
  }

  @Test func canStartPaused() async throws {
    try await AMQPTest.withQueue { queue, _ in
      try AMQPTest.fill(queue, ["a"])
      let consumer = try consumer(of: queue, setup: { [events] _ in events.add(.quiesced) })
      consumer.suspend()
      try consumer.start()
      consumer.resume()
      guard case .quiesced = try await events.next() else { throw Unexpected("no setup before consuming") }
      _ = try await events.up()
      #expect(try await events.deliveries().map(\.text) == ["a"])
      consumer.stop()
    }
  }

  /// A clean stop: no new delivery; earlier ones can still be acknowledged.
  @Test func quiescesAndStillAcknowledges() async throws {
    try await AMQPTest.withQueue(Self.quorum) { queue, admin in
      try AMQPTest.fill(queue, ["a", "b"])
      let consumer = try consumer(of: queue)
      try consumer.start()
      let epoch = try await events.up()
      let taken = try await take(2)
      consumer.quiesce()
      _ = try await events.first { if case .quiesced = $0 { true } else { nil } }
      try AMQPTest.fill(queue, ["c"])
      consumer.acknowledge(taken[0].tag, epoch: epoch)
      consumer.reject(taken[1].tag, epoch: epoch)
      consumer.stop()
      try await until("what came after that, and nothing else, in the queue") {
        try admin.checkQueue(queue)?.messages == 1
      }
    }
  }

  /// A rejected delivery is dead-lettered unchanged, with its properties.
  @Test func rejectsIntoTheDeadLetterQueue() async throws {
    try await AMQPTest.withQueue(Self.quorum) { dead, admin in
      let deadLettering: Table = [
        "x-queue-type": "quorum", "x-dead-letter-exchange": "", "x-dead-letter-routing-key": .string(dead),
        "x-dead-letter-strategy": "at-least-once", "x-overflow": "reject-publish",
      ]
      try await AMQPTest.withQueue(deadLettering) { queue, _ in
        try AMQPTest.fill(queue, ["bad"])
        let consumer = try consumer(of: queue)
        try consumer.start()
        let epoch = try await events.up()
        consumer.reject(try await take(1)[0].tag, epoch: epoch)
        try admin.consume(dead, prefetch: 0)
        guard case .delivery(let delivery) = try admin.nextEvent() else {
          throw Unexpected("nothing was dead-lettered")
        }
        #expect(delivery.text == "bad")
        #expect(delivery.properties.messageID == Array("bad".utf8))
        consumer.stop()
      }
    }
  }

  @Test func hearsThatItsQueueIsGoneAndFindsItAgain() async throws {
    try await AMQPTest.withQueue { queue, admin in
      let setups = Mutex(0)
      let consumer = try consumer(of: queue) { connection in
        if try connection.checkQueue(queue) == nil { try connection.declareQueue(queue) }
        setups.withLock { $0 += 1 }
      }
      try consumer.start()
      let first = try await events.up()
      try admin.deleteQueue(queue)
      let (error, pause) = try await events.first {
        if case .down(let error, let pause) = $0 { (error, pause) } else { nil }
      }
      #expect(error.kind == .consumerCancelled)
      #expect(error.text.contains(queue))
      #expect(pause >= .seconds(1))
      #expect(try await events.up() == first + 1)
      #expect(setups.withLock { $0 } == 2)
      try AMQPTest.fill(queue, ["back"])
      #expect(try await events.deliveries().map(\.text) == ["back"])
      consumer.stop()
    }
  }

  @Test func aMissingQueueIsNamed() async throws {
    let queue = AMQPTest.uniqueName()
    let consumer = try consumer(of: queue)
    try consumer.start()
    let error = try await events.down()
    #expect(error.kind == .channelClosed(code: 404))
    #expect(error.text.contains(queue))
    consumer.stop()
  }
}
