import Scheduling
import SchedulingTestKit

/// The broker as the engine sees it: one command queue, one publishing connection.
struct SimulatedBroker {
  enum Verdict { case ack, nack }

  // MARK: The command queue

  /// The model of a quorum queue that is compared with real brokers.
  private var queue: SimulatedQueue<SimulatedMessage>
  private let version: SimulatedQueue<SimulatedMessage>.Version
  private var open: SimulatedQueue<SimulatedMessage>.Channel?
  /// What was read on the open channel and is not settled, by delivery tag.
  private(set) var unsettled: [(tag: UInt64, message: SimulatedMessage)] = []
  /// Messages of the open channel that had been delivered before, by label: the engine keeps these in the inbox.
  private var redelivered: Set<Int> = []
  let prefetch: Int

  /// Without a delivery limit: what reaches it is lost to the service, whatever that does.
  init(prefetch: Int, version: SimulatedQueue<SimulatedMessage>.Version) {
    self.prefetch = prefetch
    self.version = version
    queue = SimulatedQueue(version: version, deliveryLimit: .max)
  }

  /// The number of the open consuming channel; nil when there is none.
  var channel: UInt64? { open?.number }

  /// Whether something can be read on the open channel.
  var hasUnread: Bool { open.map(queue.hasUnread) ?? false }

  /// Whether there is something that was not read on the open channel, whether or not the prefetch allows that now.
  var hasMore: Bool { hasUnread || queue.readyCount > 0 }

  /// Whether returned messages would come in another order than they were sent.
  var isOutOfOrder: Bool { zip(queue.returned, queue.returned.dropFirst()).contains { $0.label > $1.label } }

  func wasReturned(_ message: SimulatedMessage) -> Bool { redelivered.contains(message.label) }

  mutating func submit(_ message: SimulatedMessage) { queue.publish(message) }

  mutating func openChannel() -> UInt64 {
    let channel = queue.openChannel()
    queue.consume(on: channel, tag: "commands", prefetch: prefetch)
    open = channel
    return channel.number
  }

  /// Another consumer comes and dies with the first messages, such as an earlier release of the service: these are returned
  /// behind the others. With one consumer and one prefetch alone the order would always be right.
  mutating func interrupt(prefetch: Int) {
    let channel = queue.openChannel()
    queue.consume(on: channel, tag: "other", prefetch: prefetch)
    queue.closeChannel(channel)
  }

  mutating func closeChannel() {
    guard let channel = open.take() else { return }
    queue.closeChannel(channel)
    unsettled = []
    redelivered = []
  }

  /// What the consumer reads next. It counts as the service does: by acquisitions where the broker has them.
  mutating func deliver(_ limit: Int, _ archive: CommandArchive) -> [ReceivedCommand] {
    guard let open else { return [] }
    return queue.deliver(on: open, limit: limit).map { delivery in
      unsettled.append((delivery.tag, delivery.message))
      if delivery.isRedelivered { redelivered.insert(delivery.message.label) }
      let count = version == .v4_3 ? delivery.acquiredCount : delivery.deliveryCount
      return delivery.message.received(tag: delivery.tag, deliveries: Int64(count), archive)
    }
  }

  /// The messages that a frame settles; nil when the broker answers 406, unknown delivery tag.
  mutating func settle(_ frame: Acknowledgements.Frame) -> [SimulatedMessage]? {
    guard let open else { return nil }
    let settled: [SimulatedMessage]?
    switch frame {
    case .acknowledge(let tag, let multiple):
      settled = queue.acknowledge(tag, multiple: multiple, on: open)
      unsettled.removeAll { multiple ? $0.tag <= tag : $0.tag == tag }
    case .reject(let tag):
      settled = queue.reject(tag, on: open)
      unsettled.removeAll { $0.tag == tag }
    }
    return settled
  }

  // MARK: The publishing connection

  /// The number of the open publishing connection; nil when there is none.
  private(set) var connection: UInt64?
  private var lastConnection: UInt64 = 0
  var isBlocking = false
  /// Sent, and still in the socket.
  private(set) var unread: [Publication] = []
  /// Read, and not yet confirmed or nacked.
  private(set) var unanswered: [(publication: Publication, verdict: Verdict)] = []

  /// The broker closes the channel on publications about these schedules.
  var poisoned: [ScheduleID] = []

  /// Whether it is about to close the channel.
  var isNextPoisoned: Bool {
    guard !isBlocking, let id = unread.first?.event?.scheduleID else { return false }
    return poisoned.contains(id)
  }

  var isWireEmpty: Bool { unread.isEmpty && unanswered.isEmpty }

  mutating func connect() -> UInt64 {
    lastConnection += 1
    connection = lastConnection
    isBlocking = false
    return lastConnection
  }

  mutating func take(_ publications: [Publication]) { unread += publications }

  /// Reads the next publication.
  mutating func read(_ verdict: Verdict) -> Publication? {
    guard !isBlocking, !unread.isEmpty else { return nil }
    let publication = unread.removeFirst()
    unanswered.append((publication, verdict))
    return publication
  }

  /// Confirms or nacks one of the publications that were read.
  mutating func answer(at index: Int) -> (publication: Publication, verdict: Verdict) { unanswered.remove(at: index) }

  /// Ends the connection. Returns what was still in the socket, in order; the broker may still read the first part of
  /// it.
  mutating func disconnect() -> [Publication] {
    defer {
      connection = nil
      unread = []
      unanswered = []
    }
    return unread
  }
}
