import AMQP
import Foundation
import SchedulingTestKit
import Simulation

/// A queue of a broker and its model, which take the same steps. After each step the deliveries of both are compared.
///
/// Each step waits until the broker has taken it, so that both have the same order of events.
final class QueueHistory {
  /// Which steps a history has.
  enum Kind: Sendable {
    /// All, including those after which the order of publishing cannot be restored.
    case any
    /// Only those that return all held messages, as every interruption of a single consumer does that never requeues.
    case interruptions
  }

  typealias Queue = SimulatedQueue<Int>

  private final class Client {
    let raw: RawClient
    let channel: Queue.Channel
    var tag: String
    var unsettled: [UInt64] = []

    init(_ raw: RawClient, _ channel: Queue.Channel, tag: String) {
      self.raw = raw
      self.channel = channel
      self.tag = tag
    }
  }

  private let broker: PrivateBroker
  private let url: BrokerURL
  private let name = AMQPTest.uniqueName()
  private let kind: Kind
  private let version: Queue.Version
  private var random: SeededGenerator
  private var model: Queue
  private var admin: RawClient
  private var clients: [Client] = []
  private var lastMessage = 0
  private var lastTag = 0
  /// The steps so far, to explain a difference.
  private(set) var steps: [String] = []

  init(_ kind: Kind, seed: UInt64, on broker: PrivateBroker, _ url: BrokerURL, version: Queue.Version) throws {
    (self.kind, self.broker, self.url, self.version) = (kind, broker, url, version)
    random = SeededGenerator(seed: seed)
    let limit = kind == .any && seed.isMultiple(of: 2) ? 3 : 20
    model = Queue(version: version, deliveryLimit: limit)
    admin = try RawClient(url)
    try admin.enableConfirms()
    try admin.declare(
      name,
      [
        ("x-queue-type", .text("quorum")), ("x-single-active-consumer", .flag(true)),
        ("x-delivery-limit", .integer(limit)),
      ])
    steps.append("seed \(seed), delivery limit \(limit)")
  }

  /// Takes `count` random steps, then reads all messages that are left.
  ///
  /// - Parameter brokerFaults: Whether all connections may be closed, and the broker killed.
  /// - Returns: The numbers of the redelivered messages in the order restored from their counts.
  func run(_ count: Int, brokerFaults: Bool) async throws -> [Int] {
    try publish(10)
    try attach()
    try compare()
    do {
      for _ in 0..<count {
        try await step(brokerFaults: brokerFaults)
        try compare()
      }
      return try finish()
    } catch {
      throw Unexpected("\(error), after:\n\(steps.joined(separator: "\n"))")
    }
  }

  private func step(brokerFaults: Bool) async throws {
    switch Int.random(in: 0..<100, using: &random) {
    case 0..<10: try publish(.random(in: 1...4, using: &random))
    case 10..<35: if clients.count < 3 { try attach() }
    case 35..<55: try acknowledge()
    case 55..<60: try recover()
    case 60..<68: try requeueAll()
    case 68..<76: if kind == .any { try requeueSome() }
    case 76..<80: if kind == .any { try reject() }
    case 80..<86: if kind == .any { try cancel() }
    case 98 where brokerFaults: try await closeAllConnections()
    case 99 where brokerFaults: try await killBroker()
    default: try end()
    }
  }

  // MARK: Steps

  private func publish(_ count: Int) throws {
    steps.append("published \(count)")
    for _ in 0..<count {
      lastMessage += 1
      try admin.publish("\(lastMessage)", to: name)
      model.publish(lastMessage)
    }
  }

  private func attach() throws {
    let prefetch = Int.random(in: 1...6, using: &random)
    let client = Client(try RawClient(url), model.openChannel(), tag: nextTag())
    steps.append("attached \(client.tag), prefetch \(prefetch)")
    try client.raw.consume(name, tag: client.tag, prefetch: prefetch)
    model.consume(on: client.channel, tag: client.tag, prefetch: prefetch)
    clients.append(client)
  }

  /// The first letter makes the order of tags differ from their age.
  private func nextTag() -> String {
    lastTag += 1
    return "\(random.pick(["a", "m", "z"]) ?? "")\(lastTag)"
  }

  private func acknowledge() throws {
    guard let (client, tag) = pickUnsettled() else { return }
    let multiple = random.oneIn(2)
    steps.append("\(client.tag) acknowledged \(tag)\(multiple ? " and before" : "")")
    try client.raw.acknowledge(tag, multiple: multiple)
    try known(model.acknowledge(tag, multiple: multiple, on: client.channel))
    client.unsettled.removeAll { multiple ? $0 <= tag : $0 == tag }
  }

  private func recover() throws {
    guard let client = random.pick(clients) else { return }
    steps.append("\(client.tag) recovered")
    try client.raw.recover()
    model.recover(on: client.channel)
    client.unsettled = []
  }

  private func requeueAll() throws {
    guard let client = random.pick(clients), let tag = client.unsettled.last else { return }
    try requeue(client, tag, multiple: true)
  }

  private func requeueSome() throws {
    guard let (client, tag) = pickUnsettled() else { return }
    try requeue(client, tag, multiple: random.oneIn(2))
  }

  private func requeue(_ client: Client, _ tag: UInt64, multiple: Bool) throws {
    steps.append("\(client.tag) requeued \(tag)\(multiple ? " and before" : "")")
    try client.raw.requeue(tag, multiple: multiple)
    try known(model.requeue(tag, multiple: multiple, on: client.channel))
    client.unsettled.removeAll { multiple ? $0 <= tag : $0 == tag }
  }

  private func reject() throws {
    guard let (client, tag) = pickUnsettled() else { return }
    steps.append("\(client.tag) rejected \(tag)")
    try client.raw.reject(tag)
    try known(model.reject(tag, on: client.channel))
    client.unsettled.removeAll { $0 == tag }
  }

  /// Cancels the consumer, keeps its deliveries, and perhaps consumes again on the channel.
  private func cancel() throws {
    guard let client = random.pick(clients) else { return }
    try client.raw.cancel(client.tag)
    model.cancel(client.tag, on: client.channel)
    steps.append("\(client.tag) cancelled")
    client.tag = nextTag()
    let prefetch = Int.random(in: 1...6, using: &random)
    try client.raw.consume(name, tag: client.tag, prefetch: prefetch)
    model.consume(on: client.channel, tag: client.tag, prefetch: prefetch)
    steps.append("consumed as \(client.tag) on the same channel, prefetch \(prefetch)")
  }

  private func end() throws {
    guard let index = clients.indices.randomElement(using: &random) else { return }
    let client = clients.remove(at: index)
    // The queue learns of an end some time later; for a consumer without deliveries nothing shows when.
    if client.unsettled.isEmpty {
      try client.raw.cancel(client.tag)
      model.cancel(client.tag, on: client.channel)
    }
    let way = Int.random(in: 0..<3, using: &random)
    steps.append("\(client.tag) ended by \(["its channel", "its connection", "a reset"][way])")
    switch way {
    case 0: try client.raw.closeChannel()
    case 1: try client.raw.close()
    default: client.raw.abort()
    }
    model.closeChannel(client.channel)
    try waitForQueue()
  }

  /// When several end together, the broker chooses the order, and each may become active before it ends.
  private func endAllButOne() throws {
    while clients.count > 1 {
      try end()
      try compare()
    }
  }

  private func closeAllConnections() async throws {
    try endAllButOne()
    try publish(1)  // it is held, or shows that there is no consumer
    try compare()
    try await broker.ctl("close_all_connections", "by a test")
    try loseAll("all connections were closed")
  }

  private func killBroker() async throws {
    try endAllButOne()
    try publish(1)  // its confirm means that earlier messages are on disk, too
    try compare()
    try await broker.command("kill")
    try await broker.command("start")
    try loseAll("the broker was killed")
  }

  private func loseAll(_ step: String) throws {
    clients = []
    model.restart()
    steps.append(step)
    admin = try RawClient(url)
    try admin.enableConfirms()
    try waitForQueue()
  }

  // MARK: Comparison

  /// Waits until the queue has as many ready messages as the model, where the broker reports them.
  private func waitForQueue() throws {
    let deadline = SuspendingClock.now + AMQPTest.patience
    var count = try admin.readyCount(of: name)
    while count != model.readyCount {
      guard SuspendingClock.now < deadline else {
        throw Unexpected("\(count) messages are ready, not \(model.readyCount)")
      }
      usleep(2000)
      count = try admin.readyCount(of: name)
    }
  }

  private func compare() throws {
    for client in clients {
      let expected = model.deliver(on: client.channel)
      steps.append("\(client.tag) waits for \(expected.map(describe))")
      let got = try client.raw.take(expected.count)
      steps.removeLast()
      client.unsettled += got.map(\.tag)
      try expect((got + client.raw.untaken).map(describe), expected.map(describe))
    }
  }

  private func expect(_ got: [String], _ expected: [String]) throws {
    if got != expected {
      throw Unexpected("delivered \(got.joined(separator: ", "))\nexpected  \(expected.joined(separator: ", "))")
    }
  }

  private func describe(_ delivery: RawClient.Delivery) -> String {
    let counts = (delivery.numbers["x-delivery-count"] ?? 0, delivery.numbers["x-acquired-count"] ?? 0)
    return "\(delivery.consumerTag) \(delivery.tag): \(delivery.body) \(delivery.isRedelivered) \(counts)"
  }

  private func describe(_ delivery: Queue.Delivery) -> String {
    let counts = (delivery.deliveryCount, delivery.acquiredCount)
    return "\(delivery.consumerTag) \(delivery.tag): \(delivery.message) \(delivery.isRedelivered) \(counts)"
  }

  /// The model has to know every tag that the broker delivered.
  private func known(_ messages: [Int]?) throws {
    if messages == nil { throw Unexpected("a tag that the model does not know") }
  }

  private func pickUnsettled() -> (Client, UInt64)? {
    guard let client = random.pick(clients), let tag = random.pick(client.unsettled) else { return nil }
    return (client, tag)
  }

  /// Ends all consumers and reads everything with a new one.
  private func finish() throws -> [Int] {
    while !clients.isEmpty {
      try end()
      try compare()
    }
    let client = Client(try RawClient(url), model.openChannel(), tag: "last")
    try client.raw.consume(name, tag: client.tag, prefetch: 1000)
    model.consume(on: client.channel, tag: client.tag, prefetch: 1000)
    let expected = model.deliver(on: client.channel)
    let got = try client.raw.take(expected.count)
    try expect(got.map(describe), expected.map(describe))
    if let last = got.last { try client.raw.acknowledge(last.tag, multiple: true) }
    try expect(client.raw.untaken.map(describe), [])
    return restored(got)
  }

  /// By descending count, stable: `x-acquired-count` where the broker has it, `x-delivery-count` where it does not.
  private func restored(_ deliveries: [RawClient.Delivery]) -> [Int] {
    let name = version == .v4_3 ? "x-acquired-count" : "x-delivery-count"
    return deliveries.filter(\.isRedelivered).enumerated()
      .map { (count: $0.element.numbers[name] ?? 0, place: $0.offset, message: Int($0.element.body) ?? 0) }
      .sorted { ($0.count, $1.place) > ($1.count, $0.place) }
      .map(\.message)
  }
}
