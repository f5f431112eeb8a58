import Simulation
import Testing

/// What the model says of a few short histories, each of which was also seen on the brokers.
struct SimulatedQueueTests {
  typealias Queue = SimulatedQueue<Int>

  private static func queue(_ count: Int, version: Queue.Version = .v4_3, deliveryLimit: Int = 20) -> Queue {
    var queue = Queue(version: version, deliveryLimit: deliveryLimit)
    for number in 0..<count { queue.publish(number) }
    return queue
  }

  private static func consume(_ queue: inout Queue, prefetch: Int, tag: String = "c") -> Queue.Channel {
    let channel = queue.openChannel()
    queue.consume(on: channel, tag: tag, prefetch: prefetch)
    return channel
  }

  @Test("A second interruption puts what was held behind the rest", arguments: Queue.Version.allCases)
  func swap(version: Queue.Version) {
    var queue = Self.queue(4, version: version)
    queue.closeChannel(Self.consume(&queue, prefetch: 3))
    queue.closeChannel(Self.consume(&queue, prefetch: 1))
    let channel = Self.consume(&queue, prefetch: 10)
    let deliveries = queue.deliver(on: channel)
    #expect(deliveries.map(\.message) == [1, 2, 0, 3])
    #expect(deliveries.map(\.isRedelivered) == [true, true, true, false])
    #expect(deliveries.map(\.deliveryCount) == [1, 1, 2, 0])
    #expect(deliveries.map(\.acquiredCount) == (version == .v4_3 ? [1, 1, 2, 0] : [0, 0, 0, 0]))
    #expect(deliveries.map(\.tag) == [1, 2, 3, 4])
  }

  @Test("What the client has not read counts as held, too")
  func unread() {
    var queue = Self.queue(3)
    let first = Self.consume(&queue, prefetch: 2)
    #expect(queue.deliver(on: first, limit: 1).map(\.message) == [0])
    #expect([queue.readyCount, queue.heldCount] == [1, 2])
    queue.closeChannel(first)
    let second = Self.consume(&queue, prefetch: 9)
    #expect(queue.deliver(on: second).map(\.deliveryCount) == [1, 1, 0])
  }

  @Test("The prefetch opens with each acknowledgement, and an unknown tag is refused")
  func prefetch() {
    var queue = Self.queue(4)
    let channel = Self.consume(&queue, prefetch: 2)
    #expect(queue.deliver(on: channel).map(\.message) == [0, 1])
    #expect(queue.acknowledge(1, on: channel) == [0])
    #expect(queue.deliver(on: channel).map(\.message) == [2])
    #expect(queue.acknowledge(3, multiple: true, on: channel) == [1, 2])
    #expect(queue.acknowledge(3, on: channel) == nil)
    #expect(queue.acknowledge(9, multiple: true, on: channel) == nil)
    #expect(queue.deliver(on: channel).map(\.message) == [3])
    #expect(!queue.isEmpty)
    #expect(queue.acknowledge(4, on: channel) == [3])
    #expect(queue.isEmpty)
  }

  @Test("A waiting consumer gets nothing until the active one ends")
  func waiting() {
    var queue = Self.queue(2)
    let (first, second) = (Self.consume(&queue, prefetch: 9), Self.consume(&queue, prefetch: 9))
    #expect(queue.activeChannel == first)
    #expect(!queue.hasUnread(on: second))
    #expect(queue.readyCount == 0)
    queue.closeChannel(first)
    #expect(queue.activeChannel == second)
    #expect(queue.deliver(on: second).map(\.isRedelivered) == [true, true])
  }

  @Test("Since 4.0 the largest prefetch goes before the longest wait", arguments: Queue.Version.allCases)
  func nextConsumer(version: Queue.Version) {
    var queue = Self.queue(1, version: version)
    let active = Self.consume(&queue, prefetch: 1)
    let (small, large) = (Self.consume(&queue, prefetch: 2), Self.consume(&queue, prefetch: 9))
    queue.closeChannel(active)
    #expect(queue.activeChannel == (version == .v3_10 ? small : large))
  }

  @Test("A cancelled consumer keeps what it holds while the next one gets newer messages")
  func cancel() {
    var queue = Self.queue(3)
    let channel = Self.consume(&queue, prefetch: 2, tag: "old")
    queue.cancel("old", on: channel)
    queue.consume(on: channel, tag: "new", prefetch: 9)
    #expect(queue.deliver(on: channel).map(\.message) == [0, 1, 2])
    #expect(queue.acknowledge(1, on: channel) == [0])
    queue.closeChannel(channel)
    let next = Self.consume(&queue, prefetch: 9)
    #expect(queue.deliver(on: next).map(\.message) == [1, 2])
  }

  @Test("A channel gives back by consumer tag before 4.0, by age since", arguments: Queue.Version.allCases)
  func orderOfConsumers(version: Queue.Version) {
    var queue = Self.queue(5, version: version)
    let channel = Self.consume(&queue, prefetch: 2, tag: "z")
    queue.cancel("z", on: channel)
    queue.consume(on: channel, tag: "a", prefetch: 3)
    queue.closeChannel(channel)
    let next = Self.consume(&queue, prefetch: 9)
    #expect(queue.deliver(on: next).map(\.message) == (version == .v3_10 ? [2, 3, 4, 0, 1] : [0, 1, 2, 3, 4]))
  }

  @Test("Requeued messages go to the tail; since 4.3 not as failed ones", arguments: Queue.Version.allCases)
  func requeue(version: Queue.Version) {
    var queue = Self.queue(3, version: version)
    let channel = Self.consume(&queue, prefetch: 3)
    #expect(queue.deliver(on: channel).count == 3)
    #expect(queue.requeue(2, multiple: true, on: channel) == [0, 1])
    let again = queue.deliver(on: channel)
    #expect(again.map(\.message) == [0, 1])
    #expect(again.map(\.deliveryCount) == (version == .v4_3 ? [0, 0] : [1, 1]))
    #expect(again.map(\.isRedelivered) == [true, true])
    queue.recover(on: channel)
    #expect(queue.deliver(on: channel).map(\.message) == [2, 0, 1])
  }

  @Test("A consumer timeout ends the channel, since 4.3 the consumer", arguments: Queue.Version.allCases)
  func timeout(version: Queue.Version) {
    var queue = Self.queue(2, version: version)
    let channel = Self.consume(&queue, prefetch: 2)
    queue.timeOutActiveConsumer()
    #expect(queue.activeChannel == nil)
    #expect(queue.acknowledge(1, on: channel) == nil)
    let next = Self.consume(&queue, prefetch: 2)
    let deliveries = queue.deliver(on: next)
    #expect(deliveries.map(\.message) == [0, 1])
    #expect(deliveries.map(\.deliveryCount) == (version == .v4_3 ? [0, 0] : [1, 1]))
  }

  @Test("What fails more often than the limit is dead-lettered, and so is what is rejected")
  func deadLetters() {
    var queue = Self.queue(2, deliveryLimit: 2)
    for _ in 0..<2 { queue.closeChannel(Self.consume(&queue, prefetch: 1)) }
    #expect(queue.deadLettered == [])
    queue.closeChannel(Self.consume(&queue, prefetch: 1))
    #expect(queue.deadLettered == [0])
    let channel = Self.consume(&queue, prefetch: 1)
    #expect(queue.reject(1, on: channel) == [1])
    #expect(queue.deadLettered == [0, 1])
    #expect(queue.isEmpty)
  }

  @Test("A crash of the broker ends all channels")
  func restart() {
    var queue = Self.queue(3)
    let channel = Self.consume(&queue, prefetch: 2)
    queue.restart()
    #expect(queue.readyCount == 3)
    #expect(queue.acknowledge(1, on: channel) == nil)
    let next = Self.consume(&queue, prefetch: 9)
    #expect(queue.deliver(on: next).map(\.message) == [0, 1, 2])
  }
}
