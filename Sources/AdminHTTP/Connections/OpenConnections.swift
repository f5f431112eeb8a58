import NIOCore
import Synchronization

/// The open connections. At the limit, those that wait for their clients are closed after a short time, so that slow
/// clients cannot lock out others, such as a supervisor's health check.
final class OpenConnections: Sendable {
  typealias Entry = Int

  private struct Connection {
    var channel: any Channel
    /// Since when it has waited for its client; nil while a request is handled.
    var waitingSince: NIODeadline?
  }

  private struct State {
    var connections: [Entry: Connection] = [:]
    var lastEntry = 0
    var isChecking = false
  }

  private let maximum: Int
  private let patience: TimeAmount
  private let state = Mutex(State())

  init(maximum: Int, patience: TimeAmount) {
    self.maximum = maximum
    self.patience = patience
  }

  func open(_ channel: any Channel) -> Entry {
    let (entry, isFull) = state.withLock { state in
      state.lastEntry += 1
      state.connections[state.lastEntry] = Connection(channel: channel, waitingSince: .now())
      let isFull = state.connections.count >= maximum && !state.isChecking
      if isFull { state.isChecking = true }
      return (state.lastEntry, isFull)
    }
    if isFull { check(on: channel.eventLoop) }
    return entry
  }

  func set(_ entry: Entry, isWaiting: Bool) {
    state.withLock { state in
      guard isWaiting != (state.connections[entry]?.waitingSince != nil) else { return }
      state.connections[entry]?.waitingSince = isWaiting ? .now() : nil
    }
  }

  func remove(_ entry: Entry) {
    state.withLock { $0.connections[entry] = nil }
  }

  /// Repeats while the limit is reached.
  private func check(on eventLoop: any EventLoop) {
    eventLoop.scheduleTask(in: patience / 4) { [weak self] in
      guard let self else { return }
      let (late, isFull) = state.withLock { state in
        let isFull = state.connections.count >= maximum
        state.isChecking = isFull
        guard isFull else { return ([] as [any Channel], false) }
        let limit = NIODeadline.now() - patience
        return (state.connections.values.filter { $0.waitingSince.map { $0 <= limit } ?? false }.map(\.channel), true)
      }
      for channel in late { channel.close(promise: nil) }
      if isFull { check(on: eventLoop) }
    }
  }
}

extension TimeAmount {
  fileprivate static func / (amount: TimeAmount, divisor: Int64) -> TimeAmount {
    .nanoseconds(amount.nanoseconds / divisor)
  }
}
