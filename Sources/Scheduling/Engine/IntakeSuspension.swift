/// Decides when commands are left in their queue for a while, and why.
///
/// Closing the channel returns its commands to the queue, and the broker counts that as a delivery. Redelivered
/// commands go into the inbox at once, so each is counted only once.
package struct IntakeSuspension {
  package enum Reason: Hashable, Sendable {
    /// The store cannot store what would be decided.
    case store
    /// Outcomes cannot be published: the broker would take the unacknowledged commands back after a while.
    case unanswered
    /// As `unanswered`, and the commands in memory have reached their limit in bytes.
    case congested
  }

  enum Step: Hashable {
    case suspend(Reason)
    case resume
  }

  private enum State {
    /// Becomes suspended.
    case flowing
    /// The channel is closed. Becomes flowing.
    case suspended
  }

  private var state = State.flowing
  /// Since when outcomes cannot be published, on the monotonic clock; nil while they can.
  private var unansweredSince: Int64?
  /// When the store last recovered, on the monotonic clock; nil while it has never failed.
  private var storeHealthySince: Int64?
  private var isCongested = false
  private let patience: Int64
  private let resumeDelay: Int64

  init(settings: Engine.Settings) {
    patience = settings.unansweredPatienceMilliseconds
    resumeDelay = settings.resumeDelayMilliseconds
  }

  /// The consumer stopped reading because the commands in memory have reached their limit in bytes.
  mutating func congested() { isCongested = true }

  mutating func storeRecovered(at uptime: Int64) { storeHealthySince = uptime }

  /// What to do now; nil for nothing.
  mutating func step(isStoreAvailable: Bool, canAnswer: Bool, at uptime: Int64) -> Step? {
    assert(unansweredSince.map { $0 <= uptime } ?? true, "the monotonic clock never goes back")
    if canAnswer { unansweredSince = nil } else { unansweredSince = unansweredSince ?? uptime }
    switch state {
    case .flowing:
      guard let reason = reasonToSuspend(isStoreAvailable: isStoreAvailable, canAnswer: canAnswer, at: uptime) else {
        isCongested = false
        return nil
      }
      state = .suspended
      isCongested = false
      return .suspend(reason)
    case .suspended:
      guard isStoreAvailable, canAnswer, resumption.map({ $0 <= uptime }) ?? true else { return nil }
      state = .flowing
      return .resume
    }
  }

  private func reasonToSuspend(isStoreAvailable: Bool, canAnswer: Bool, at uptime: Int64) -> Reason? {
    if !isStoreAvailable { return .store }
    if isCongested, !canAnswer { return .congested }
    return deadline(canAnswer: canAnswer).map { $0 <= uptime } ?? false ? .unanswered : nil
  }

  private var resumption: Int64? { storeHealthySince.map { $0 + resumeDelay } }

  /// When, on the monotonic clock, the next step is due if no event comes before; nil without one.
  func deadline(isStoreAvailable: Bool = true, canAnswer: Bool) -> Int64? {
    switch state {
    case .flowing: unansweredSince.map { $0 + patience }
    case .suspended: isStoreAvailable && canAnswer ? resumption : nil
    }
  }
}
