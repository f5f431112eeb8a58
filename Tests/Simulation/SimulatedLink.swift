import Scheduling

/// A publishing connection as the engine sees it: to the event bus, or to the exchanges of targets.
struct SimulatedLink {
  enum Verdict { case ack, nack }

  /// The number of the open connection; nil when there is none.
  private(set) var connection: UInt64?
  private var lastConnection: UInt64 = 0
  var isBlocking = false
  /// Sent, and still in the socket.
  private(set) var unread: [Publication] = []
  /// Read, and not yet confirmed or nacked.
  private(set) var unanswered: [(publication: Publication, verdict: Verdict)] = []

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
