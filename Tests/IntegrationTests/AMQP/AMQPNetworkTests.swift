import AMQP
import Testing

/// A network that fails, simulated by a proxy in front of the shared broker.
@Suite(.serialized, .enabled(if: AMQPTest.url != nil, "\(AMQPTest.missing)"), .timeLimit(.minutes(5)))
struct AMQPNetworkTests {
  /// Cut after any byte, connecting and publishing throw an `AMQPError` at once, and every confirmed message is in its queue.
  @Test(arguments: [AMQPProxy.Fault.cutAfterSent, AMQPProxy.Fault.cutAfterReceived])
  func publishingSurvivesACutAfterAnyByte(fault: @Sendable (Int) -> AMQPProxy.Fault) async throws {
    try await AMQPTest.withQueue { queue, admin in
      var confirmedCount = 0
      try cutEverywhere(fault) { connection in
        try connection.enableConfirms()
        try connection.publish(AMQPTest.message("x", to: queue))
        let event = try connection.nextEvent()
        guard case .confirmed(1, _, accepted: true) = event else {
          throw Unexpected("no confirm but \(event.map { "\($0)" } ?? "nothing")")
        }
        confirmedCount += 1
      }
      #expect(confirmedCount > 0)
      #expect(try #require(try admin.checkQueue(queue)).messages >= confirmedCount)
    }
  }

  @Test(arguments: [AMQPProxy.Fault.cutAfterSent, AMQPProxy.Fault.cutAfterReceived])
  func consumingSurvivesACutAfterAnyByte(fault: @Sendable (Int) -> AMQPProxy.Fault) async throws {
    try await AMQPTest.withQueue { queue, _ in
      try AMQPTest.fill(queue, ["x"])
      try cutEverywhere(fault) { connection in
        try connection.consume(queue, prefetch: 1)
        guard case .delivery(let delivery) = try connection.nextEvent() else {
          throw Unexpected("no delivery")
        }
        #expect(delivery.text == "x")
        try connection.closeChannel()
      }
    }
  }

  /// Runs `use` on connections that are cut one byte later each time, until one is not cut.
  private func cutEverywhere(
    _ fault: (Int) -> AMQPProxy.Fault, _ use: (Connection) throws -> Void
  ) throws {
    for count in stride(from: 1, to: 4000, by: 3) {
      // A cut noticed only by the limit of a request counts as unnoticed.
      let options = try AMQPTest.options()
      let proxy = try AMQPProxy(to: options.brokers[0].port, fault(count))
      defer { proxy.close() }
      var url = options.brokers[0]
      url.port = proxy.port
      do {
        let connection = try Connection(to: url, options: options)
        try use(connection)
        // Not cut: everything fitted.
        if case .none = try connection.nextEvent(timeout: .zero) { return }
      } catch let error as AMQPError {
        #expect(error.kind == .connectionLost, "cut after \(count) bytes: \(error)")
      }
    }
    Issue.record("never got through")
  }

  /// P24: a message that stays unconfirmed, as in a quorum queue without a majority, holds up no other.
  @Test func publishesOnWithoutAConfirmOfTheFirst() async throws {
    try await AMQPTest.withQueue { queue, admin in
      var options = try AMQPTest.options()
      let proxy = try AMQPProxy(to: options.brokers[0].port)
      defer { proxy.close() }
      options.brokers[0].port = proxy.port
      let events = EventQueue<Publisher.Event>()
      let publisher = try Publisher(options: options) { events.add($0) }
      try publisher.start()
      let epoch = try await events.up()
      proxy.becomeMute()
      let batch = (UInt64(0)..<100).map { ($0, AMQPTest.message("\($0)", to: queue)) }
      publisher.publish(MessageBatch(batch), epoch: epoch)
      try admin.consume(queue, prefetch: 0)
      for number in 0..<100 {
        guard case .delivery(let delivery) = try admin.nextEvent() else {
          throw Unexpected("message \(number) is missing")
        }
        #expect(delivery.text == "\(number)")
      }
      publisher.stop(drainFor: .zero)
    }
  }

  /// A peer that neither reads nor writes is noticed by its missing heartbeats, also while publishing.
  @Test(arguments: [0, 100_000])
  func noticesABlackHole(bodyBytes: Int) async throws {
    try await AMQPTest.withQueue { queue, _ in
      var options = try AMQPTest.options { $0.heartbeatSeconds = 1 }
      let proxy = try AMQPProxy(to: options.brokers[0].port)
      defer { proxy.close() }
      options.brokers[0].port = proxy.port
      let connection = try Connection(to: options.brokers[0], options: options)
      proxy.becomeHole()
      let delay = MachineDelay()
      let start = SuspendingClock.now
      let error = try #require(throws: AMQPError.self) {
        while SuspendingClock.now - start < .seconds(60) {
          if bodyBytes > 0 {
            try connection.publish(
              Message(exchange: "", routingKey: queue, body: Array(repeating: 1, count: bodyBytes)))
          } else {
            _ = try connection.nextEvent(timeout: .seconds(60))
          }
        }
      }
      #expect(error.kind == .connectionLost)
      // Two heartbeats of 1 s, and a little.
      #expect(SuspendingClock.now - start - delay.sum < .seconds(6))
    }
  }
}
