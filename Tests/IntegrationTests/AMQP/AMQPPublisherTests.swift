import AMQP
import Testing

/// `Publisher` against a real broker.
@Suite(.enabled(if: AMQPTest.url != nil, "\(AMQPTest.missing)"), .timeLimit(.minutes(2)))
struct AMQPPublisherTests {
  private let events = EventQueue<Publisher.Event>()

  private func publisher(
    window: Int = 256, setup: @escaping @Sendable (Connection) throws -> Void = { _ in }
  ) throws -> Publisher {
    try Publisher(options: AMQPTest.options(), window: window, setup: setup, onEvent: { [events] in events.add($0) })
  }

  private func batch(_ numbers: Range<UInt64>, to queue: String) -> MessageBatch {
    MessageBatch(numbers.map { ($0, AMQPTest.message("\($0)", to: queue)) })
  }

  @Test(arguments: [1, 7, 256])
  func confirmsEveryMessageOnceAndKeepsTheOrder(window: Int) async throws {
    try await AMQPTest.withQueue { queue, admin in
      let publisher = try publisher(window: window)
      try publisher.start()
      let epoch = try await events.up()
      for start in stride(from: 0, to: 1000, by: 50) as StrideTo<UInt64> {
        publisher.publish(batch(start..<start + 50, to: queue), epoch: epoch)
      }
      #expect(try await events.acked(1000).sorted() == Array(0..<1000))
      publisher.stop(drainFor: .seconds(5))
      try admin.consume(queue, prefetch: 0)
      for number in 0..<1000 {
        guard case .delivery(let delivery) = try admin.nextEvent() else {
          throw Unexpected("message \(number) is missing")
        }
        #expect(delivery.text == "\(number)")
      }
    }
  }

  @Test func stopWaitsForWhatWasHandedOver() async throws {
    try await AMQPTest.withQueue { queue, admin in
      let publisher = try publisher()
      try publisher.start()
      let epoch = try await events.up()
      publisher.publish(batch(0..<2000, to: queue), epoch: epoch)
      publisher.stop(drainFor: .seconds(30))
      #expect(try admin.checkQueue(queue)?.messages == 2000)
      publisher.publish(batch(0..<1, to: queue), epoch: epoch)
      publisher.stop(drainFor: .seconds(30))
    }
  }

  @Test func dropsBatchesOfAnotherEpoch() async throws {
    try await AMQPTest.withQueue { queue, admin in
      let publisher = try publisher()
      publisher.publish(batch(0..<1, to: queue), epoch: 0)
      publisher.publish(batch(0..<1, to: queue), epoch: 1)
      try publisher.start()
      let epoch = try await events.up()
      publisher.publish(batch(1..<2, to: queue), epoch: epoch + 1)
      publisher.publish(batch(2..<3, to: queue), epoch: epoch - 1)
      publisher.publish(batch(3..<4, to: queue), epoch: epoch)
      #expect(try await events.acked(1) == [3])
      publisher.stop(drainFor: .seconds(5))
      #expect(try admin.checkQueue(queue)?.messages == 1)
    }
  }

  @Test func reportsReturnsBeforeTheirAck() async throws {
    try await AMQPTest.withQueue { queue, _ in
      let publisher = try publisher()
      try publisher.start()
      let epoch = try await events.up()
      let nowhere = AMQPTest.uniqueName()
      let messages = (UInt64(0)..<100).map { ($0, AMQPTest.message("\($0)", to: $0 % 2 == 0 ? queue : nowhere)) }
      publisher.publish(MessageBatch(messages), epoch: epoch)
      var (returned, acked): ([UInt64], Set<UInt64>) = ([], [])
      while acked.count < 100 {
        switch try await events.next() {
        case .returned(let number, 312, _):
          #expect(!acked.contains(number))
          returned.append(number)
        case .acked(let numbers): acked.formUnion(numbers)
        case let other: throw Unexpected("\(other)")
        }
      }
      #expect(returned == (0..<100).filter { $0 % 2 == 1 })
      publisher.stop(drainFor: .seconds(5))
    }
  }

  /// A full queue that rejects: the broker nacks each message once, and the connection stays.
  @Test func reportsNacks() async throws {
    let limited: Table = ["x-max-length": .int32(1), "x-overflow": "reject-publish"]
    try await AMQPTest.withQueue(limited) { queue, _ in
      let publisher = try publisher()
      try publisher.start()
      let epoch = try await events.up()
      publisher.publish(batch(0..<50, to: queue), epoch: epoch)
      var (acked, nacked): ([UInt64], [UInt64]) = ([], [])
      while acked.count + nacked.count < 50 {
        switch try await events.next() {
        case .acked(let numbers): acked += numbers
        case .nacked(let numbers): nacked += numbers
        case let other: throw Unexpected("\(other)")
        }
      }
      #expect(acked.contains(0))
      #expect(!nacked.isEmpty)
      #expect((acked + nacked).sorted() == Array(0..<50))
      publisher.stop(drainFor: .seconds(5))
    }
  }

  @Test func anUnsendableMessageHarmsNobody() async throws {
    try await AMQPTest.withQueue { queue, _ in
      let publisher = try publisher()
      try publisher.start()
      let epoch = try await events.up()
      var messages = (UInt64(0)..<5).map { ($0, AMQPTest.message("\($0)", to: queue)) }
      messages[2].1.properties.appID = String(repeating: "x", count: 256)
      publisher.publish(MessageBatch(messages), epoch: epoch)
      var (acked, refused): ([UInt64], [(number: UInt64, reason: String)]) = ([], [])
      while acked.count < 4 {
        switch try await events.next() {
        case .acked(let numbers): acked += numbers
        case .unsendable(let number, let error): refused.append((number, error.text))
        case let other: throw Unexpected("\(other)")
        }
      }
      #expect(acked.sorted() == [0, 1, 3, 4])
      #expect(refused.map(\.number) == [2])
      #expect(refused.first?.reason.contains("app_id") == true)
      publisher.stop(drainFor: .seconds(5))
    }
  }

  /// A missing exchange closes the channel: the error names it, and the next channel has another epoch.
  @Test func comesBackAfterAChannelError() async throws {
    try await AMQPTest.withQueue { queue, _ in
      let publisher = try publisher()
      try publisher.start()
      let first = try await events.up()
      let missing = AMQPTest.uniqueName()
      publisher.publish(
        MessageBatch([(1 as UInt64, Message(exchange: missing, routingKey: "k", body: []))]), epoch: first)
      let (error, pause) = try await events.first {
        if case .down(let error, let pause) = $0 { (error, pause) } else { nil }
      }
      #expect(error.kind == .channelClosed(code: 404))
      #expect(error.text.contains(missing))
      #expect(pause >= .seconds(1))
      let second = try await events.up()
      #expect(second == first + 1)
      publisher.publish(batch(2..<3, to: queue), epoch: second)
      #expect(try await events.acked(1) == [2])
      publisher.stop(drainFor: .seconds(5))
    }
  }

  @Test func aSetupThatMissesSomethingIsTriedAgainSlowly() async throws {
    let publisher = try publisher { connection in
      let missing = try ["amq.topic", "gone.a", "gone.b"].filter { try !connection.checkExchange($0) }
      throw AMQPError.topology("missing: \(missing)")
    }
    try publisher.start()
    guard case .down(let error, let pause) = try await events.next() else { throw Unexpected("no .down") }
    #expect(error.kind == .topology)
    #expect(error.text == #"missing: ["gone.a", "gone.b"]"#)
    #expect(error.endpoint != nil)
    #expect(pause >= .seconds(5))
    publisher.stop(drainFor: .seconds(5))
  }

  @Test func triesTheOtherBrokersAtOnce() async throws {
    let options = try AMQPTest.options { options in
      var dead = options.brokers[0]
      dead.port = 1
      options.brokers.insert(dead, at: 0)
    }
    let publisher = try Publisher(options: options, onEvent: { [events] in events.add($0) })
    try publisher.start()
    guard case .down(let error, retryAfter: .zero) = try await events.next() else { throw Unexpected("no .down") }
    #expect(error.kind == .unreachable)
    _ = try await events.up()
    publisher.stop(drainFor: .seconds(5))
  }

  /// A stop does not wait for the next attempt to connect, and no event follows it.
  @Test func stopsWhileItCannotConnect() async throws {
    let options = try AMQPTest.options { $0.brokers[0].port = 1 }
    let publisher = try Publisher(
      options: options, setup: { _ in throw AMQPError.topology("") }, onEvent: { [events] in events.add($0) })
    try publisher.start()
    _ = try await events.down()
    let start = SuspendingClock.now
    publisher.stop(drainFor: .seconds(60))
    #expect(SuspendingClock.now - start < .seconds(5))
  }
}
