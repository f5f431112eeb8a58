/// A model of a RabbitMQ quorum queue with a single active consumer and a delivery limit.
///
/// Redelivered messages come from a *returns list*. Whatever a consumer holds when it ends goes to the tail of that
/// list, in the order of delivery, and the list is served before the ready messages. After two interruptions in a row
/// the order is therefore no longer that of publishing. Messages are checked out as far as the prefetch allows, whether
/// or not the client has read them from its socket; unread ones count as held, too.
///
/// `AMQPQueueModelTests` compares it with the brokers. Not modelled: priorities, consumers that share the queue,
/// consumer priorities, expiry, length limits; and that RabbitMQ 3.10 shuffles more than 32 messages requeued by one
/// `basic.nack` or `basic.recover` (not those of a channel that ends).
package struct SimulatedQueue<Message> {
  /// The RabbitMQ versions that differ.
  package enum Version: Sendable, CaseIterable { case v3_10, v4_0, v4_3 }

  package struct Delivery {
    /// Unique on its channel, ascending from 1.
    package let tag: UInt64
    package let consumerTag: String
    package let message: Message
    package let isRedelivered: Bool
    /// The `x-delivery-count` header; 0 where it is absent.
    package let deliveryCount: Int
    /// The `x-acquired-count` header, which RabbitMQ 4.3 introduced; 0 where it is absent.
    package let acquiredCount: Int
  }

  package struct Channel: Hashable, Sendable { package let number: UInt64 }

  private struct Entry {
    let message: Message
    var deliveryCount = 0
    var acquiredCount = 0
  }

  private struct Consumer {
    /// Unique, ascending by age.
    let key: Int
    let tag: String
    let channel: Channel
    var prefetch: Int
    /// Delivered and unsettled, by the number that the queue gave to it for this consumer.
    var held: [(number: Int, entry: Entry)] = []
    var nextNumber = 0
    var state = State.waiting

    enum State { case waiting, active, cancelled }
  }

  private struct ChannelState {
    var lastTag: UInt64 = 0
    /// Sent by the broker, not yet read by the client.
    var unread: [Delivery] = []
    var unsettled: [(tag: UInt64, consumer: Int, number: Int)] = []
  }

  private let version: Version
  /// A message that fails more often than this is dead-lettered.
  private let deliveryLimit: Int
  private var ready: [Entry] = []
  private var returns: [Entry] = []
  /// By age, without those that have ended.
  private var consumers: [Consumer] = []
  private var channels: [Channel: ChannelState] = [:]
  private var lastChannel: UInt64 = 0
  private var lastConsumer = 0
  /// Messages that were rejected or reached the delivery limit, in that order.
  package private(set) var deadLettered: [Message] = []

  package init(version: Version, deliveryLimit: Int = 20) {
    self.version = version
    self.deliveryLimit = deliveryLimit
  }

  /// What a passive declare reports: messages that no consumer holds.
  package var readyCount: Int { returns.count + ready.count }
  /// The returns list, in the order in which it is served.
  package var returned: [Message] { returns.map(\.message) }
  package var heldCount: Int { consumers.reduce(0) { $0 + $1.held.count } }
  package var isEmpty: Bool { readyCount + heldCount == 0 }
  /// The channel of the consumer that gets deliveries.
  package var activeChannel: Channel? { consumers.first { $0.state == .active }?.channel }

  package mutating func publish(_ message: Message) {
    ready.append(Entry(message: message))
    checkOut()
  }

  // MARK: Channels and consumers

  package mutating func openChannel() -> Channel {
    lastChannel += 1
    let channel = Channel(number: lastChannel)
    channels[channel] = ChannelState()
    return channel
  }

  package mutating func consume(on channel: Channel, tag: String, prefetch: Int) {
    lastConsumer += 1
    consumers.append(Consumer(key: lastConsumer, tag: tag, channel: channel, prefetch: prefetch))
    activateAndCheckOut()
  }

  /// Ends deliveries to a consumer, which keeps what it holds until that is settled or the channel ends.
  package mutating func cancel(_ tag: String, on channel: Channel) {
    guard let index = consumers.firstIndex(where: { $0.channel == channel && $0.tag == tag && $0.state != .cancelled })
    else { return }
    consumers[index].state = .cancelled
    removeIfDone(index)
    activateAndCheckOut()
  }

  /// A channel ends: it is closed, or its connection or client is lost.
  package mutating func closeChannel(_ channel: Channel) {
    channels[channel] = nil
    consumers.removeAll { $0.channel == channel && $0.state == .waiting }
    var ending = consumers.filter { $0.channel == channel }
    if version == .v3_10 { ending.sort { Array($0.tag.utf8).lexicographicallyPrecedes(Array($1.tag.utf8)) } }
    consumers.removeAll { $0.channel == channel }
    for consumer in ending { for held in consumer.held { giveBack(held.entry, isFailure: true) } }
    activateAndCheckOut()
  }

  /// The broker crashes and restarts: all channels end, in an unspecified order.
  package mutating func restart() {
    for channel in channels.keys.sorted(by: { $0.number < $1.number }) { closeChannel(channel) }
  }

  /// The consumer timeout expires for everything that the active consumer holds. Before 4.3 the broker closes the
  /// channel; 4.3 cancels the consumer and leaves the channel open, but its deliveries can no longer be settled.
  package mutating func timeOutActiveConsumer() {
    guard let index = consumers.firstIndex(where: { $0.state == .active && !$0.held.isEmpty }) else { return }
    let consumer = consumers[index]
    guard version == .v4_3 else { return closeChannel(consumer.channel) }
    consumers.remove(at: index)
    channels[consumer.channel]?.unsettled.removeAll { $0.consumer == consumer.key }
    for held in consumer.held { giveBack(held.entry, isFailure: false) }
    activateAndCheckOut()
  }

  // MARK: Deliveries

  /// What the client reads from its socket next.
  package mutating func deliver(on channel: Channel, limit: Int = .max) -> [Delivery] {
    guard var state = channels[channel] else { return [] }
    defer { channels[channel] = state }
    let deliveries = Array(state.unread.prefix(limit))
    state.unread.removeFirst(deliveries.count)
    return deliveries
  }

  /// Whether the client has something to read.
  package func hasUnread(on channel: Channel) -> Bool { channels[channel]?.unread.isEmpty == false }

  /// Acknowledges; nil if the tag is unknown, on which the broker closes the channel (406).
  package mutating func acknowledge(_ tag: UInt64, multiple: Bool = false, on channel: Channel) -> [Message]? {
    settle(tag, multiple: multiple, on: channel) { _, entry in entry.message }
  }

  /// Rejects without requeueing; nil when the tag is unknown.
  package mutating func reject(_ tag: UInt64, multiple: Bool = false, on channel: Channel) -> [Message]? {
    settle(tag, multiple: multiple, on: channel) { queue, entry in
      queue.deadLettered.append(entry.message)
      return entry.message
    }
  }

  /// `basic.nack` or `basic.reject` with requeue; nil when the tag is unknown.
  package mutating func requeue(_ tag: UInt64, multiple: Bool = false, on channel: Channel) -> [Message]? {
    settle(tag, multiple: multiple, on: channel, isRequeue: true) { queue, entry in
      queue.giveBack(entry, isFailure: queue.version != .v4_3)
      return entry.message
    }
  }

  /// `basic.recover`: requeues all that the channel has not settled.
  package mutating func recover(on channel: Channel) {
    if let last = channels[channel]?.unsettled.last { _ = requeue(last.tag, multiple: true, on: channel) }
  }

  private mutating func settle(
    _ tag: UInt64, multiple: Bool, on channel: Channel, isRequeue: Bool = false,
    _ body: (inout SimulatedQueue, Entry) -> Message
  ) -> [Message]? {
    guard let unsettled = channels[channel]?.unsettled else { return nil }
    var settled = unsettled.filter { multiple ? $0.tag <= tag : $0.tag == tag }
    guard multiple ? settled.last?.tag == tag : !settled.isEmpty else { return nil }
    channels[channel]?.unsettled.removeAll { multiple ? $0.tag <= tag : $0.tag == tag }
    // The broker hands them to the queue one consumer after the other, by tag.
    let tags = Dictionary(uniqueKeysWithValues: consumers.map { ($0.key, Array($0.tag.utf8)) })
    settled.sort { one, other in
      let (first, second) = (tags[one.consumer] ?? [], tags[other.consumer] ?? [])
      return first == second ? one.tag < other.tag : first.lexicographicallyPrecedes(second)
    }
    var messages: [Message] = []
    for (place, delivery) in settled.enumerated() {
      if place > 0, delivery.consumer != settled[place - 1].consumer { activateAndCheckOut() }
      guard let index = consumers.firstIndex(where: { $0.key == delivery.consumer }),
        let heldIndex = consumers[index].held.firstIndex(where: { $0.number == delivery.number })
      else { continue }
      let entry = consumers[index].held.remove(at: heldIndex).entry
      let dead = deadLettered.count
      messages.append(body(&self, entry))
      // RabbitMQ 3.10 returns the credit twice when a requeue dead-letters.
      if version == .v3_10, isRequeue { consumers[index].prefetch += deadLettered.count - dead }
      removeIfDone(index)
    }
    activateAndCheckOut()
    return messages
  }

  // MARK: The lists

  private mutating func removeIfDone(_ index: Int) {
    if consumers[index].state == .cancelled, consumers[index].held.isEmpty { consumers.remove(at: index) }
  }

  private mutating func giveBack(_ entry: Entry, isFailure: Bool) {
    var entry = entry
    entry.acquiredCount += 1
    if isFailure { entry.deliveryCount += 1 }
    if entry.deliveryCount > deliveryLimit {
      deadLettered.append(entry.message)
    } else {
      returns.append(entry)
    }
  }

  private mutating func activateAndCheckOut() {
    if !consumers.contains(where: { $0.state == .active }), let next = nextConsumer { consumers[next].state = .active }
    checkOut()
  }

  /// The consumer that has waited longest; since 4.0 the one with the largest prefetch goes first.
  private var nextConsumer: Int? {
    let waiting = consumers.indices.filter { consumers[$0].state == .waiting }
    guard version != .v3_10, let prefetch = waiting.map({ consumers[$0].prefetch }).max() else { return waiting.first }
    return waiting.first { consumers[$0].prefetch == prefetch }
  }

  private mutating func checkOut() {
    guard let index = consumers.firstIndex(where: { $0.state == .active }) else { return }
    while consumers[index].held.count < consumers[index].prefetch, readyCount > 0 {
      send(returns.isEmpty ? ready.removeFirst() : returns.removeFirst(), to: index)
    }
  }

  private mutating func send(_ entry: Entry, to index: Int) {
    let consumer = consumers[index]
    consumers[index].held.append((consumer.nextNumber, entry))
    consumers[index].nextNumber += 1
    guard var state = channels[consumer.channel] else { return }
    state.lastTag += 1
    state.unsettled.append((state.lastTag, consumer.key, consumer.nextNumber))
    state.unread.append(
      Delivery(
        tag: state.lastTag, consumerTag: consumer.tag, message: entry.message, isRedelivered: entry.acquiredCount > 0,
        deliveryCount: entry.deliveryCount, acquiredCount: version == .v4_3 ? entry.acquiredCount : 0))
    channels[consumer.channel] = state
  }
}
