import Scheduling
import SchedulingTestKit

/// The broker as the engine knows it: one command queue, one publishing connection.
struct SimulatedBroker {
  enum Verdict { case ack, nack }

  // MARK: The command queue

  private var ready: [SimulatedMessage] = []
  /// What was returned, delivered before anything that is ready.
  private var returned: [SimulatedMessage] = []
  /// What was delivered on the open channel and is not settled, by delivery tag.
  private(set) var unsettled: [(tag: UInt64, message: SimulatedMessage)] = []
  /// The number of the open consuming channel; nil when there is none.
  private(set) var channel: UInt64?
  private var lastChannel: UInt64 = 0
  private var lastTag: UInt64 = 0
  /// How often messages were returned, by label.
  private var deliveries: [Int: Int64] = [:]
  let prefetch: Int

  init(prefetch: Int) { self.prefetch = prefetch }

  var isQueueEmpty: Bool { !hasMore && unsettled.isEmpty }

  /// Whether something is there to be delivered.
  var hasMore: Bool { !(ready.isEmpty && returned.isEmpty) }

  /// Whether those that were returned would come in another order than they were sent.
  var isOutOfOrder: Bool { zip(returned, returned.dropFirst()).contains { $0.label > $1.label } }

  /// Whether a message was delivered before and returned: the engine keeps such a message in the inbox.
  func wasReturned(_ message: SimulatedMessage) -> Bool { deliveries[message.label] != nil }

  mutating func submit(_ message: SimulatedMessage) { ready.append(message) }

  mutating func openChannel() -> UInt64 {
    lastChannel += 1
    channel = lastChannel
    lastTag = 0
    return lastChannel
  }

  /// Whatever was not settled goes to the tail of what was returned before, as on a quorum queue.
  mutating func closeChannel() {
    channel = nil
    for (_, message) in unsettled {
      deliveries[message.label, default: 0] += 1
      returned.append(message)
    }
    unsettled = []
  }

  mutating func deliver(_ limit: Int, _ archive: CommandArchive) -> [ReceivedCommand] {
    var commands: [ReceivedCommand] = []
    while commands.count < limit, unsettled.count < prefetch, hasMore {
      let message = returned.isEmpty ? ready.removeFirst() : returned.removeFirst()
      lastTag += 1
      unsettled.append((lastTag, message))
      commands.append(message.received(tag: lastTag, deliveries: deliveries[message.label] ?? 0, archive))
    }
    return commands
  }

  /// The messages that a frame settles; nil when the broker answers 406, unknown delivery tag.
  mutating func settle(_ frame: Acknowledgements.Frame) -> [SimulatedMessage]? {
    let isMeant: (UInt64) -> Bool
    switch frame {
    case .acknowledge(let tag, multiple: true): isMeant = { $0 <= tag }
    case .acknowledge(let tag, multiple: false), .reject(let tag): isMeant = { $0 == tag }
    }
    let settled = unsettled.filter { isMeant($0.tag) }
    unsettled.removeAll { isMeant($0.tag) }
    return settled.isEmpty ? nil : settled.map(\.message)
  }

  // MARK: The publishing connection

  /// The number of the open publishing connection; nil when there is none.
  private(set) var connection: UInt64?
  private var lastConnection: UInt64 = 0
  var isBlocking = false
  /// Sent, and still in the socket.
  private(set) var unread: [Publication] = []
  /// Read, and the answer not yet sent.
  private(set) var unanswered: [(publication: Publication, verdict: Verdict)] = []

  /// It closes the channel on what is published about these schedules.
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

  /// Answers one of those that were read.
  mutating func answer(at index: Int) -> (publication: Publication, verdict: Verdict) { unanswered.remove(at: index) }

  /// Ends the connection; returns what was still in the socket, in order, of which the broker may yet read the first part.
  mutating func disconnect() -> [Publication] {
    defer {
      connection = nil
      unread = []
      unanswered = []
    }
    return unread
  }
}
