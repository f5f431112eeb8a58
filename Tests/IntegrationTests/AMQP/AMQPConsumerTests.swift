import AMQP
import Synchronization
import Testing

/// `Consumer` against a real broker, on the kind of queue that commands come from.
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

  /// The texts of so many deliveries, unacknowledged.
  private func take(_ count: Int) async throws -> [Delivery] {
    var taken: [Delivery] = []
    while taken.count < count { taken += try await events.deliveries() }
    return taken
  }

  /// The first delivery opens the full window: all are here before any is acknowledged, in order, none twice.
  @Test(arguments: [quorum, [:]])
  func opensTheWindowAtTheFirstFreshDelivery(arguments: Table) async throws {
    try await AMQPTest.withQueue(arguments) { queue, admin in
      let texts = (0..<50).map { "\($0)" }
      try AMQPTest.fill(queue, texts)
      let consumer = try consumer(of: queue)
      try consumer.start()
      let epoch = try await events.up()
      #expect(try await events.deliveries().map(\.text) == ["0"])
      let rest = try await take(49)
      #expect(rest.map(\.text) == Array(texts[1...]))
      #expect(rest.allSatisfy { !$0.redelivered })
      consumer.acknowledge(rest[48].tag, multiple: true, epoch: epoch)
      consumer.stop()
      #expect(try admin.checkQueue(queue)?.messages == 0)
    }
  }

  /// What was delivered before comes alone, one after the other, until the first that was not.
  @Test func takesRedeliveredOnesOneByOne() async throws {
    try await AMQPTest.withQueue(Self.quorum) { queue, _ in
      try AMQPTest.fill(queue, ["a", "b", "c"])
      let crashing = try AMQPTest.connect()
      try crashing.consume(queue, prefetch: 3)
      for _ in 0..<3 { _ = try crashing.nextEvent() }
      crashing.close()
      try AMQPTest.fill(queue, ["d", "e", "f"])

      let consumer = try consumer(of: queue)
      try consumer.start()
      let epoch = try await events.up()
      for text in ["a", "b", "c"] {
        let deliveries = try await events.deliveries()
        #expect(deliveries.map(\.text) == [text])
        #expect(deliveries[0].redelivered)
        consumer.acknowledge(deliveries[0].tag, epoch: epoch)
      }
      let fresh = try await take(3)
      #expect(fresh.map(\.text) == ["d", "e", "f"])
      #expect(fresh.allSatisfy { !$0.redelivered })
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
      consumer.pause()
      _ = try await events.first { if case .paused = $0 { true } else { nil } }
      try await until("all of them back in the queue") {
        try admin.checkQueue(queue).map { [$0.messages, $0.consumers] } == [15, 0]
      }

      consumer.resume()
      let second = try await events.up()
      #expect(second == first + 1)
      // Stale: must not touch the deliveries of the new channel, whose tags begin at 1 again.
      consumer.acknowledge(taken[9].tag, multiple: true, epoch: first)
      for text in texts[5...] {
        let delivery = try await events.deliveries()[0]
        #expect(delivery.text == text)
        #expect(delivery.redelivered)
        consumer.acknowledge(delivery.tag, epoch: second)
      }
      consumer.stop()
      #expect(try admin.checkQueue(queue)?.messages == 0)
    }
  }

  /// Also what came first, while one at a time was let in: the broker counts it among another consumer's. Several times, for
  /// it could come out right by chance.
  @Test(arguments: 0..<8) func aLostConnectionGivesBackInOrder(run: Int) async throws {
    try await AMQPTest.withQueue(Self.quorum) { queue, admin in
      let texts = (0..<6).map { "\($0)" }
      try AMQPTest.fill(queue, texts)
      let lost = try consumer(of: queue)
      try lost.start()
      #expect(try await take(texts.count).map(\.text) == texts)
      lost.stop()

      let consumer = try consumer(of: queue)
      try consumer.start()
      var epoch: UInt64 = 0
      for text in texts {
        let delivery = try await events.first { event -> Delivery? in
          if case .deliveries(let deliveries, let current) = event {
            epoch = current
            return deliveries.first
          }
          return nil
        }
        #expect(delivery.text == text && delivery.redelivered)
        consumer.acknowledge(delivery.tag, epoch: epoch)
      }
      consumer.stop()
      #expect(try admin.checkQueue(queue)?.messages == 0)
    }
  }

  @Test func canStartPaused() async throws {
    try await AMQPTest.withQueue { queue, _ in
      try AMQPTest.fill(queue, ["a"])
      let consumer = try consumer(of: queue, setup: { [events] _ in events.add(.quiesced) })
      consumer.pause()
      try consumer.start()
      consumer.resume()
      guard case .quiesced = try await events.next() else { throw Unexpected("no setup before consuming") }
      _ = try await events.up()
      #expect(try await events.deliveries().map(\.text) == ["a"])
      consumer.stop()
    }
  }

  /// A clean stop: nothing new comes, what came is still acknowledged.
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
      #expect(try admin.checkQueue(queue)?.messages == 1)
    }
  }

  /// A rejected delivery is dead-lettered as it came, with its properties.
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
        guard case .delivery(let delivery) = try admin.nextEvent(timeout: .seconds(20)) else {
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
