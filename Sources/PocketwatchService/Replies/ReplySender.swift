import AMQP
import Logging
import Recurrence
import Scheduling
import Synchronization

/// Sends replies over a connection of their own, so that a broker that refuses or delays them stops no tick.
///
/// The connection opens with the first reply: an installation without replies does without it. A reply that cannot be
/// sent now waits for the connection, within limits, and is dropped beyond them. Its client asks again.
final class ReplySender: Sendable {
  /// What became of a reply.
  enum Result: String, CaseIterable, Sendable {
    /// The broker has confirmed it, whether or not a queue is bound to its address.
    case sent
    /// Not sent: no connection, too many others, or the broker refused it.
    case dropped
    /// Not sent: its address gets no replies, see `ReplyRoute`.
    case refused
  }

  /// Limits on replies in memory: those that wait for the connection, and all that are not confirmed.
  static let mostWaiting = 256
  static let mostUnconfirmed = 4096
  static let mostUnconfirmedBytes = 16 << 20

  private typealias Routed = (reply: Reply, route: ReplyRoute)

  private struct State {
    /// Nil until the first reply.
    var publisher: Publisher?
    /// Nil while not connected.
    var link: (epoch: UInt64, server: ServerInfo)?
    var waiting: [(routed: Routed, since: SuspendingClock.Instant)] = []
    /// The sizes of the unconfirmed replies, by number.
    var unconfirmed: [UInt64: Int] = [:]
    var unconfirmedBytes = 0
    var lastNumber: UInt64 = 0
    /// Why the broker refuses replies; nil if it does not.
    var problem: String?

    /// Whether this reply was not resolved before.
    mutating func resolve(_ number: UInt64) -> Bool {
      guard let size = unconfirmed.removeValue(forKey: number) else { return false }
      unconfirmedBytes -= size
      return true
    }

    /// Their channel is lost. Returns their number.
    mutating func takeUnconfirmed() -> Int {
      defer { (unconfirmed, unconfirmedBytes) = ([:], 0) }
      return unconfirmed.count
    }
  }

  private let settings: BrokerSettings
  private let encoder: ReplyEncoder
  private let onResult: @Sendable (Result, Int) -> Void
  private let onProblem: @Sendable (String?) -> Void
  private let state = Mutex(State())

  /// - Parameters:
  ///   - onResult: Called from any thread with a result and the number of replies that had it.
  ///   - onProblem: Called from any thread when the broker begins to refuse replies, with its reason, or no longer does.
  init(
    _ settings: BrokerSettings, onResult: @escaping @Sendable (Result, Int) -> Void,
    onProblem: @escaping @Sendable (String?) -> Void
  ) {
    self.settings = settings
    self.onResult = onResult
    self.onProblem = onProblem
    encoder = ReplyEncoder(names: settings.names, sendsUserID: settings.sendsUserID)
  }

  /// Sends replies, or drops them. Does not wait.
  func send(_ replies: [Reply], at now: Instant) {
    let routed = replies.compactMap { reply in
      ReplyRoute(reply.address, names: settings.names, answersDirectly: settings.answersDirectly).map { (reply, $0) }
    }
    note(.refused, replies.count - routed.count)
    guard !routed.isEmpty else { return }
    let dropped = state.withLock { state in
      if state.link != nil { return publish(routed, at: now, &state) }
      if state.publisher == nil { state.publisher = connect() }
      let room = state.publisher == nil ? 0 : Self.mostWaiting - state.waiting.count
      state.waiting += routed.prefix(room).map { ($0, .now) }
      return max(0, routed.count - room)
    }
    note(.dropped, dropped)
  }

  /// Starts the stop: what can be confirmed soon is still sent.
  func askToStop() { state.withLock(\.publisher)?.askToStop(drainFor: Self.drainTime) }

  func stop() { state.withLock(\.publisher)?.stop(drainFor: Self.drainTime) }

  private static let drainTime = Duration.seconds(1)

  private func note(_ result: Result, _ count: Int) {
    if count > 0 { onResult(result, count) }
  }

  /// Publishes replies on the open connection. Returns how many were dropped for lack of room.
  private func publish(_ replies: [Routed], at now: Instant, _ state: inout State) -> Int {
    guard let (epoch, server) = state.link else { return replies.count }
    var dropped = 0
    for reply in replies {
      guard state.unconfirmed.count < Self.mostUnconfirmed, state.unconfirmedBytes < Self.mostUnconfirmedBytes else {
        dropped += 1
        continue
      }
      state.lastNumber += 1
      let batch = encoder.encode([reply], from: state.lastNumber, at: now, for: server)
      let size = batch.withBytes(\.count)
      state.unconfirmed[state.lastNumber] = size
      state.unconfirmedBytes += size
      state.publisher?.publish(batch, epoch: epoch)
    }
    return dropped
  }

  /// Nil if there is no descriptor or thread for it.
  private func connect() -> Publisher? {
    do {
      let publisher = try Publisher(
        options: settings.connectionOptions(name: "\(settings.names.stack) replies"), window: Self.mostUnconfirmed,
        // Nothing is published there, so an error about any exchange concerns the replies to that one.
        essentialExchange: settings.names.eventBus, onEvent: { [weak self] in self?.received($0) })
      try publisher.start()
      return publisher
    } catch {
      onProblem("\(error)")
      return nil
    }
  }
}

// MARK: - On the connection's thread

extension ReplySender {
  private func received(_ event: Publisher.Event) {
    switch event {
    case .up(let epoch, let server): connected(epoch, server)
    case .down:
      let dropped = state.withLock { state in
        state.link = nil
        return state.takeUnconfirmed()
      }
      note(.dropped, dropped)
    case .acked(let numbers): resolved(numbers, .sent)
    case .nacked(let numbers): resolved(numbers, .dropped)
    case .refused(let number, _), .unsendable(let number, _): resolved([number], .dropped)
    case .refusing(let refusals): noteProblem(refusals)
    case .returned, .blocked, .unblocked: break
    }
  }

  /// Sends the replies that waited, unless their clients no longer do. Replies of an earlier channel are lost.
  private func connected(_ epoch: UInt64, _ server: ServerInfo) {
    let dropped = state.withLock { state in
      state.link = (epoch, server)
      let lost = state.takeUnconfirmed()
      let oldest = SuspendingClock.now - .milliseconds(ReplyEncoder.expirationMilliseconds)
      let current = state.waiting.filter { $0.since > oldest }.map(\.routed)
      let expired = state.waiting.count - current.count
      state.waiting = []
      return lost + expired + publish(current, at: SystemClock.now().wall, &state)
    }
    note(.dropped, dropped)
  }

  private func resolved(_ numbers: [UInt64], _ result: Result) {
    let count = state.withLock { state in numbers.count { state.resolve($0) } }
    note(result, count)
  }

  private func noteProblem(_ refusals: Refusals) {
    // Other refusals concern single replies, such as one that is too large.
    let problem = refusals.current.lazy.compactMap { kind, error in
      if case .exchange = kind { "\(error)" } else { nil }
    }.first
    let isNew = state.withLock { state in
      defer { state.problem = problem }
      return state.problem != problem
    }
    if isNew { onProblem(problem) }
  }
}
