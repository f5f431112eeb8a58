import AMQP
import Foundation
import Synchronization
import Testing

/// Faults of a broker, each on a private one.
@Suite(
  .serialized, .timeLimit(.minutes(5)),
  .enabled(if: PrivateBroker.script != nil, "POCKETWATCH_TEST_BROKER names ops/broker; run ops/test"))
struct AMQPFaultTests {
  @Test func aBrokerWithSmallFramesSaysWhatToSet() async throws {
    let file = FileManager.default.temporaryDirectory.appending(path: "frames-\(UUID().uuidString).conf")
    try Data("frame_max = 4096\n".utf8).write(to: file)
    defer { try? FileManager.default.removeItem(at: file) }
    try await PrivateBroker.running(["--config", file.path()]) { broker in
      let options = try await self.options(of: broker)
      let error = try #require(throws: AMQPError.self) { try Connection(to: options.brokers[0], options: options) }
      // From 4.1 on such a broker refuses our frame size and closes the socket without an error.
      let version = String(decoding: try await broker.command("version"), as: UTF8.self)
      if version.hasPrefix("3.") || version.hasPrefix("4.0.") {
        #expect(error.kind == .topology)
        #expect(error.text.contains("frame_max is 4096 bytes. Set it to at least 8192"))
      } else {
        #expect(error.kind == .connectionLost)
        #expect(error.text.contains("during login"))
      }
    }
  }

  /// P1, P14: no confirmed message is missing, and the publisher reconnects automatically each time.
  @Test func losesNothingOverClosuresRestartsKillsAndFreezes() async throws {
    try await PrivateBroker.running([]) { broker in
      let options = try await self.options(of: broker)
      let admin = try Connection(to: options.brokers[0], options: options)
      try admin.declareQueue("q", arguments: ["x-queue-type": "quorum"])
      let sender = try PersistentSender(to: "q", options: options)
      try sender.start()
      try await sender.sendAndWait(100)

      // The broker gives a reason, but a connection that is sending may see the reset first.
      try await sender.expectLoss(.connectionClosed(code: 320), .connectionLost) {
        try await broker.ctl("close_all_connections", "by an operator")
      }
      try await sender.sendAndWait(100)

      try await sender.expectLoss(.connectionClosed(code: 320), .connectionLost) { try await broker.command("stop") }
      try await broker.command("start")
      try await sender.sendAndWait(100)

      let delay = MachineDelay()
      var frozen = SuspendingClock.now
      try await sender.expectLoss(.connectionLost) {
        try await broker.command("freeze")
        frozen = SuspendingClock.now
        sender.send(5000)
      }
      // Two heartbeats of 2 s, and a little.
      #expect(SuspendingClock.now - frozen - delay.sum < .seconds(7))
      try await broker.command("thaw")
      try await sender.sendAndWait(100)

      try await sender.expectLoss(.connectionLost) {
        sender.send(1000)
        try await broker.command("kill")
      }
      try await broker.command("start")
      try await sender.sendAndWait(100)

      sender.stop()
      try expectAll(sender.sentCount, in: "q", options)
    }
  }

  /// P15: while the broker is blocked nothing is published, consuming continues, and afterwards everything arrives in order.
  @Test func holdsBackWhileTheBrokerIsBlocked() async throws {
    try await PrivateBroker.running([]) { broker in
      let options = try await self.options(of: broker)
      let admin = try Connection(to: options.brokers[0], options: options)
      for queue in ["in", "out"] { try admin.declareQueue(queue, arguments: ["x-queue-type": "quorum"]) }
      try admin.enableConfirms()
      for text in ["a", "b"] { try admin.publish(AMQPTest.message(text, to: "in")) }
      _ = try admin.nextEvent()
      try await broker.ctl("set_vm_memory_high_watermark", "0")

      let sender = try PersistentSender(to: "out", options: options)
      try sender.start()
      _ = try await sender.events.up()
      sender.send(500)
      let reason = try await sender.events.first { if case .blocked(let reason) = $0 { reason } else { nil } }
      #expect(reason.contains("memory"))
      sender.send(500)

      let events = EventQueue<Consumer.Event>()
      let consumer = try Consumer(options: options, queue: "in", prefetch: 10, onEvent: { events.add($0) })
      try consumer.start()
      let epoch = try await events.up()
      var taken: [Delivery] = []
      while taken.count < 2 { taken += try await events.deliveries() }
      #expect(taken.map(\.text) == ["a", "b"])
      consumer.acknowledge(taken[1].tag, multiple: true, epoch: epoch)
      consumer.stop()
      #expect(try Connection(to: options.brokers[0], options: options).checkQueue("out")?.messages == 0)
      #expect(sender.unconfirmedCount == 1000)

      try await broker.ctl("set_vm_memory_high_watermark", "0.4")
      _ = try await sender.events.first { if case .unblocked = $0 { true } else { nil } }
      try await sender.sendAndWait(1)
      sender.stop()
      try expectAll(1001, in: "out", options)
    }
  }

  private func options(of broker: PrivateBroker) async throws -> ConnectionOptions {
    let url = String(decoding: try await broker.command("url"), as: UTF8.self)
    return ConnectionOptions(
      brokers: try BrokerURL.list(url), connectionName: "fault test", heartbeatSeconds: 2, rpcTimeout: .seconds(20))
  }

  /// Reads the queue to its end: every number from 0 on is present, and the first copies are in order.
  private func expectAll(_ count: Int, in queue: String, _ options: ConnectionOptions) throws {
    let connection = try Connection(to: options.brokers[0], options: options)
    let stored = try #require(try connection.checkQueue(queue)).messages
    try connection.consume(queue, prefetch: 0, acknowledges: false)
    var next = 0
    for _ in 0..<stored {
      guard case .delivery(let delivery) = try connection.nextEvent(timeout: .seconds(20)) else { break }
      if delivery.text == "\(next)" { next += 1 }
    }
    #expect(next == count)
  }
}

/// Publishes numbers to a queue, and republishes each on the next connection until it is confirmed, as the service does.
final class PersistentSender: Sendable {
  private struct State {
    var epoch: UInt64 = 0
    var sentCount: UInt64 = 0
    var unconfirmed: Set<UInt64> = []
  }

  let events = EventQueue<Publisher.Event>()
  private let queue: String
  private let state = Mutex(State())
  private let publisher = Mutex<Publisher?>(nil)

  init(to queue: String, options: ConnectionOptions) throws {
    self.queue = queue
    let publisher = try Publisher(options: options, onEvent: { [weak self] in self?.handle($0) })
    self.publisher.withLock { $0 = publisher }
  }

  var sentCount: Int { state.withLock { Int($0.sentCount) } }
  var unconfirmedCount: Int { state.withLock { $0.unconfirmed.count } }

  func start() throws { try publisher.withLock { $0 }?.start() }

  func stop() { publisher.withLock { $0 }?.stop(drainFor: .seconds(10)) }

  /// Publishes the next `count` numbers.
  func send(_ count: UInt64) {
    let (numbers, epoch) = state.withLock { state in
      let numbers = state.sentCount..<state.sentCount + count
      state.sentCount += count
      state.unconfirmed.formUnion(numbers)
      return (Array(numbers), state.epoch)
    }
    publish(numbers, epoch)
  }

  /// Publishes the next `count` numbers and waits until all are confirmed.
  func sendAndWait(_ count: UInt64) async throws {
    send(count)
    while unconfirmedCount > 0 { _ = try await events.next() }
  }

  /// Applies a fault to the broker and expects the connection to end for one of these reasons.
  func expectLoss(
    _ kinds: AMQPError.Kind..., by breaking: () async throws -> Void,
    sourceLocation: SourceLocation = #_sourceLocation
  ) async throws {
    try await breaking()
    let error = try await events.down()
    #expect(kinds.contains(error.kind), "\(error)", sourceLocation: sourceLocation)
  }

  private func handle(_ event: Publisher.Event) {
    switch event {
    case .up(let epoch, _):
      let numbers = state.withLock { state in
        state.epoch = epoch
        return state.unconfirmed.sorted()
      }
      publish(numbers, epoch)
    case .acked(let numbers): state.withLock { $0.unconfirmed.subtract(numbers) }
    default: break
    }
    events.add(event)
  }

  private func publish(_ numbers: [UInt64], _ epoch: UInt64) {
    let batch = numbers.map { ($0, AMQPTest.message("\($0)", to: queue)) }
    publisher.withLock { $0 }?.publish(MessageBatch(batch), epoch: epoch)
  }
}
