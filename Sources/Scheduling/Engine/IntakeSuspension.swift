/// Whether commands are left in their queue for a while, and why.
///
/// Closing the channel returns what it holds to the queue, and the broker counts that: what is redelivered goes into the inbox
/// at once, so that this costs nothing but the count of one.
package struct IntakeSuspension {
  package enum Reason: Hashable, Sendable {
    /// The store cannot keep what would be decided.
    case store
    /// Outcomes cannot be published: the broker takes unacknowledged commands back after a while, by itself.
    case unanswered
    /// As `unanswered`, and the commands in memory come to as many bytes as there may be.
    case congested
  }

  enum Step: Hashable {
    case suspend(Reason)
    case resume
  }

  private enum State {
    case flowing
    case suspended
  }

  private var state = State.flowing
  /// Since when outcomes cannot be published, on the monotonic clock; nil while they can.
  private var unansweredSince: Int64?
  /// When the store was healthy again, on the monotonic clock; nil while it never failed.
  private var storeHealthySince: Int64?
  private var isCongested = false
  private let patience: Int64
  private let resumeDelay: Int64

  init(settings: Engine.Settings) {
    patience = settings.unansweredPatienceMilliseconds
    resumeDelay = settings.resumeDelayMilliseconds
  }

  /// The consumer reads no more, for commands in memory take up all the room that there is.
  mutating func congested() { isCongested = true }

  mutating func storeRecovered(at uptime: Int64) { storeHealthySince = uptime }

  /// What is to be done now, if anything.
  mutating func step(isStoreAvailable: Bool, canAnswer: Bool, at uptime: Int64) -> Step? {
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

  /// When, on the monotonic clock, something is to be done if nothing else happens.
  func deadline(isStoreAvailable: Bool = true, canAnswer: Bool) -> Int64? {
    switch state {
    case .flowing: unansweredSince.map { $0 + patience }
    case .suspended: isStoreAvailable && canAnswer ? resumption : nil
    }
  }
}
