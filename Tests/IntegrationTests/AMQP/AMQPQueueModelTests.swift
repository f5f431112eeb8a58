import AMQP
import Foundation
import Simulation
import Testing

/// P1, P2: quorum queues behave as the simulator models them.
@Suite(
  .serialized, .timeLimit(.minutes(10)),
  .enabled(if: PrivateBroker.script != nil, "POCKETWATCH_TEST_BROKER names ops/broker; run ops/test"))
struct AMQPQueueModelTests {
  /// One more than the last seed of a run; another first seed is another set of histories.
  private static let seeds = ProcessInfo.processInfo.environment["POCKETWATCH_TEST_SEED"].flatMap(UInt64.init) ?? 1

  @Test("the model delivers as the broker does: order, redelivered flags and counts, in random histories")
  func anyHistories() async throws {
    try await withBroker { broker, url, version in
      for seed in Self.seeds..<Self.seeds + 60 {
        let history = try QueueHistory(.any, seed: seed, on: broker, url, version: version)
        _ = try await history.run(40, brokerFaults: false)
      }
    }
  }

  @Test("after interruptions only, a stable sort by the count restores the order of publishing")
  func restoredOrder() async throws {
    try await withBroker { broker, url, version in
      for seed in Self.seeds..<Self.seeds + 60 {
        let history = try QueueHistory(.interruptions, seed: seed, on: broker, url, version: version)
        let order = try await history.run(40, brokerFaults: false)
        #expect(order == order.sorted(), "\(history.steps.joined(separator: "\n"))")
      }
    }
  }

  @Test("the same with a broker that is killed, and that closes all connections")
  func brokerFaults() async throws {
    try await withBroker { broker, url, version in
      // A new quorum queue may be lost with a broker that is killed at once.
      let history = try QueueHistory(.interruptions, seed: Self.seeds, on: broker, url, version: version)
      try await Task.sleep(for: .seconds(10))
      let order = try await history.run(400, brokerFaults: true)
      #expect(order == order.sorted(), "\(history.steps.joined(separator: "\n"))")
      #expect(history.steps.contains("the broker was killed"))
      #expect(history.steps.contains("all connections were closed"))
    }
  }

  @Test("a consumer timeout returns what is held: before 4.3 with the channel, since with the consumer")
  func consumerTimeout() async throws {
    try await withBroker { broker, url, version in
      for (name, milliseconds) in [("consumer_timeout", 3000), ("channel_tick_interval", 1000)] {
        try await broker.ctl("eval", "ok = application:set_env(rabbit, \(name), \(milliseconds)).")
      }
      var model = SimulatedQueue<Int>(version: version)
      let client = try RawClient(url)
      try client.enableConfirms()
      try client.declare("q", [("x-queue-type", .text("quorum")), ("x-single-active-consumer", .flag(true))])
      for number in 0..<3 {
        try client.publish("\(number)", to: "q")
        model.publish(number)
      }
      let channel = model.openChannel()
      try client.consume("q", tag: "slow", prefetch: 2)
      model.consume(on: channel, tag: "slow", prefetch: 2)
      #expect(try client.take(2).map(\.body) == model.deliver(on: channel).map { "\($0.message)" })
      let ending = try client.waitForEnding()
      #expect(ending == (version == .v4_3 ? .consumerCancelled(tag: "slow") : .channelClosed(code: 406)))
      model.timeOutActiveConsumer()

      let next = try RawClient(url)
      try next.consume("q", tag: "next", prefetch: 9)
      let nextChannel = model.openChannel()
      model.consume(on: nextChannel, tag: "next", prefetch: 9)
      let expected = model.deliver(on: nextChannel)
      let got = try next.take(3)
      #expect(got.map(\.body) == expected.map { "\($0.message)" })
      #expect(got.map(\.isRedelivered) == expected.map(\.isRedelivered))
      #expect(got.map { $0.numbers["x-delivery-count"] ?? 0 } == expected.map(\.deliveryCount))
      #expect(got.map { $0.numbers["x-acquired-count"] ?? 0 } == expected.map(\.acquiredCount))
    }
  }

  private func withBroker(
    _ body: (PrivateBroker, BrokerURL, SimulatedQueue<Int>.Version) async throws -> Void
  ) async throws {
    try await PrivateBroker.running([]) { broker in
      let url = try BrokerURL(try await broker.url().string ?? "")
      let connection = try Connection(to: url, options: ConnectionOptions(brokers: [url], connectionName: "model-test"))
      let version = connection.server.version
      connection.close()
      try await body(broker, url, Self.version(version))
    }
  }

  private static func version(_ text: String) -> SimulatedQueue<Int>.Version {
    let numbers = text.split(separator: ".").compactMap { Int($0) }
    if numbers.lexicographicallyPrecedes([4, 0]) { return .v3_10 }
    return numbers.lexicographicallyPrecedes([4, 3]) ? .v4_0 : .v4_3
  }
}
