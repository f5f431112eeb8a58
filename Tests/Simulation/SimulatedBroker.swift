import Scheduling
import SchedulingTestKit

/// The broker as the engine sees it: one command queue, and a publishing connection for each outlet.
struct SimulatedBroker {
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

  /// Whether every message is settled.
  var isQueueDone: Bool { unsettled.isEmpty && !hasMore }

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

  // MARK: The publishing connections

  private var bus = SimulatedLink()
  private var targets = SimulatedLink()

  subscript(outlet: Outlet) -> SimulatedLink {
    get { outlet == .bus ? bus : targets }
    set { if outlet == .bus { bus = newValue } else { targets = newValue } }
  }

  /// Whether the connection for targets stays open and is not answered.
  var areTargetsSilent = false

  /// The connections that the broker reads.
  var answering: [Outlet] {
    Outlet.allCases.filter { !self[$0].isBlocking && !(areTargetsSilent && $0 == .targets) }
  }

  var isWireEmpty: Bool { answering.allSatisfy { self[$0].isWireEmpty } }

  /// The broker closes the channel on publications about these schedules.
  var poisoned: [ScheduleID] = []
  /// Exchanges that do not exist: what is published there is refused.
  var missing: [String] = []

  /// Whether it is about to close the channel.
  func isNextPoisoned(_ outlet: Outlet) -> Bool {
    guard !self[outlet].isBlocking, let id = self[outlet].unread.first?.event?.scheduleID else { return false }
    return poisoned.contains(id)
  }

  /// Whether the next publication is for an exchange that does not exist.
  func isNextMissing(_ outlet: Outlet) -> Bool {
    guard case .tick(let tick)? = self[outlet].unread.first?.event, let target = tick.definition.target else {
      return false
    }
    return missing.contains(target.place)
  }
}
