import AMQP
import AMQPTestKit
import Testing

/// Messages of other clients, received and sent on byte for byte, on a real broker.
@Suite(.enabled(if: AMQPTest.url != nil, "\(AMQPTest.missing)"), .timeLimit(.minutes(2)))
struct AMQPRawPropertiesTests {
  /// What differs is only what the broker changes. Sent on, nothing differs any more.
  @Test(arguments: ["classic", "quorum"])
  func everyPropertyPasses(queueType: String) async throws {
    try await AMQPTest.withQueue(["x-queue-type": .string(queueType)]) { queue, admin in
      let connection = try AMQPTest.connect { $0.keepsRawProperties = true }
      let version = try majorVersion(of: connection)
      let samples = MessageSample.all
      try publish(try samples.map { try RawProperties($0.block) }, to: queue)
      let received = try deliveries(samples.count, from: queue, on: connection).map { try #require($0.propertyBlock) }
      for (sample, block) in zip(samples, received) {
        #expect(sample.delivered(byMajorVersion: version).map(\.block).contains(block), "\(sample): \(block)")
      }
      try publish(try received.map { try RawProperties($0).forwarded([]) }, to: queue)
      let again = try deliveries(samples.count, from: queue, on: connection, isConsuming: true)
      #expect(again.map(\.propertyBlock) == received)
    }
  }

  /// A quorum queue adds its counters to what it delivers again. Without them it is as it was, but for
  /// the order of its headers on 3.10.
  @Test func redeliveryLeavesOnlyItsCounters() async throws {
    try await AMQPTest.withQueue(["x-queue-type": "quorum"]) { queue, admin in
      let connection = try AMQPTest.connect { $0.keepsRawProperties = true }
      let version = try majorVersion(of: connection)
      let samples = MessageSample.all
      try publish(try samples.map { try RawProperties($0.block) }, to: queue)
      _ = try deliveries(samples.count, from: queue, on: connection, isAcknowledged: false)
      try connection.closeChannel()
      try connection.openChannel()
      let again = try deliveries(samples.count, from: queue, on: connection)
      for (sample, delivery) in zip(samples, again) {
        #expect(delivery.redelivered)
        let raw = try RawProperties(try #require(delivery.propertyBlock))
        #expect(raw.scalarHeader("x-delivery-count")?.integer ?? 0 <= 1)
        let block = raw.forwarded(connection.server.withoutCounts).bytes
        #expect(sample.redelivered(byMajorVersion: version).map(\.block).contains(block), "\(sample): \(block)")
      }
    }
  }

  /// What a delivery with a delay becomes: its delay negated, its sender's name removed, everything else as it was.
  @Test func aForwardedDelayArrivesNegated() async throws {
    try await AMQPTest.withQueue { queue, admin in
      let connection = try AMQPTest.connect { $0.keepsRawProperties = true }
      let user = try AMQPTest.options().brokers[0].user
      let block = MessageSample(
        name: "delayed", properties: [4: PropertyBlock.short(user), 7: PropertyBlock.short("id")],
        headers: [("a", "V", []), ("x-delay", "I", PropertyBlock.number(Int32(5000)))])
      try publish([try RawProperties(block.block)], to: queue)
      let first = try deliveries(1, from: queue, on: connection)[0]
      let raw = try RawProperties(try #require(first.propertyBlock))
      #expect(raw.delay == .milliseconds(5000))
      #expect(raw.userID == Array(user.utf8))
      try publish([raw.forwarded([.negatingDelay, .withoutUserID])], to: queue)
      let sent = try deliveries(1, from: queue, on: connection, isConsuming: true)[0]
      #expect(sent.properties.headers == ["a": .void, "x-delay": .int32(-5000)])
      #expect(sent.properties.userID == nil)
      #expect(sent.properties.messageID == Array("id".utf8))
    }
  }

  private func majorVersion(of connection: Connection) throws -> Int {
    try #require(connection.server.version.split(separator: ".").first.flatMap { Int($0) })
  }

  private func publish(_ blocks: [RawProperties], to queue: String) throws {
    let connection = try AMQPTest.connect()
    try connection.enableConfirms()
    for (number, block) in blocks.enumerated() {
      let body = [UInt8(number)]
      let message = RawMessage(exchange: "", routingKey: Array(queue.utf8), properties: block, body: body)
      let sequence = try connection.publish(message)
      guard case .confirmed(sequence, _, accepted: true) = try connection.nextEvent() else {
        throw Unexpected("no confirm for \(block)")
      }
    }
  }

  private func deliveries(
    _ count: Int, from queue: String, on connection: Connection, isConsuming: Bool = false, isAcknowledged: Bool = true
  ) throws -> [Delivery] {
    if !isConsuming { try connection.consume(queue, prefetch: 0) }
    var deliveries: [Delivery] = []
    while deliveries.count < count {
      guard let event = try connection.nextEvent() else {
        throw Unexpected("\(deliveries.count) of \(count) deliveries within \(AMQPTest.patience)")
      }
      if case .delivery(let delivery) = event { deliveries.append(delivery) }
    }
    if isAcknowledged, let last = deliveries.last { try connection.acknowledge(last.tag, multiple: true) }
    // In the order of publishing: quorum queues of RabbitMQ 4 deliver by priority.
    return deliveries.sorted { $0.body.lexicographicallyPrecedes($1.body) }
  }
}
