import Recurrence
import Scheduling

extension SimulationTrack {
  /// What control commands did to a schedule, to be compared with their outcomes.
  struct ControlHistory {
    /// What a revision began with. The outcome that comes first with it is that of the command.
    struct Revision {
      var cause: Cause
      var counter: Int64
      /// Nil while it is paused, and once it has ended.
      var nextSlot: Instant?
      var definition: Definition
      var isAnswered = false
    }

    enum Cause {
      case pause(label: Int)
      /// The policies that lead to what is stored, each with the number of slots that are not sent or folded.
      case resume([MisfirePolicy: Int])
      case resumeOneShot(missed: Int, OneShot)
      case update(label: Int)
    }

    /// What became of a one-shot that was resumed.
    enum OneShot {
      case leftOut, notDue
      /// Due and not left out.
      case due
    }

    /// A tick that a Trigger asked for.
    struct TriggeredTick {
      var label: Int
      /// When it was last sent, on the monotonic clock; nil if it has not.
      var sentUptime: Int64?
      var excuse: RareState?
      /// Where it was last sent.
      var outlet: Outlet?
      /// When the scheduler could send it first, on the monotonic clock: in this process.
      var owedUptime: Int64
      var hasArrived = false
      var isConfirmed = false
      var isAnnounced = false
    }

    var revisions: [Int64: Revision] = [:]
    /// By instant.
    var triggered: [Instant: TriggeredTick] = [:]
    /// The revision of the Resumed that was confirmed last, of those that the schedule owed.
    var confirmedResumption: Int64 = 0
    var sentResumption: Int64 = 0
    /// Messages whose pause ended by itself.
    var endedPauses: Set<Int> = []
    /// The revision of the Paused that arrived last.
    var arrivedPause: Int64 = 0
    /// The slot after the next tick's, if an Update has changed that while the next tick may have been sent.
    var followingSlot: Instant?

    /// Ticks of slots before an Update.
    var formerSent: [Instant: SentTick] = [:]

    mutating func processBegan(at uptime: Int64) {
      for instant in triggered.keys { triggered[instant]?.owedUptime = uptime }
    }

    mutating func processEnded() {
      for revision in revisions.keys { revisions[revision]?.isAnswered = true }
    }

    /// Triggered ticks that were in flight may be sent again; after the end of a process also timed-out ones.
    ///
    /// - Parameter outlet: The connection that was lost; nil for both.
    mutating func excuse(_ cause: RareState?, on outlet: Outlet?, at uptime: Int64) {
      for (instant, tick) in triggered {
        guard let sent = tick.sentUptime, outlet == nil || tick.outlet == outlet else { continue }
        let timeout: RareState? = uptime - sent >= 30_000 ? .resentAfterTimeout : nil
        triggered[instant]?.excuse = cause ?? tick.excuse ?? timeout
      }
    }
  }

  var isPaused: Bool { nextTick != nil && control.pause != nil }

  /// Whether the tick of the stored slot was sent, and is not resolved.
  var isNextSent: Bool { nextTick.map { sent[$0.slot] != nil } ?? false }

  /// The slot after that of the next tick.
  func slotAfter(_ nextTick: Schedule.NextTick) -> Instant? {
    let slot = nextTick.slot
    guard let following = controlled.followingSlot, following > slot || step == nil && following != slot else {
      return next(after: slot)
    }
    return following
  }

  /// When this process sent the tick of a slot first.
  func firstUptime(of slot: Instant) -> Int64? {
    sent[slot]?.firstUptime ?? controlled.formerSent[slot]?.firstUptime
  }

  /// Slots are counted and ordered again: an Update has changed them.
  mutating func beginOtherSlots() {
    countedBefore += confirmed.subtracting(givenUp).count
    arrivedBefore += arrived.filter(confirmed.contains).count
    givenUpBefore += givenUp.count
    controlled.formerSent = sent
    (sent, arrived, confirmed, givenUp, lastSlotSent) = ([:], [], [], [], nil)
  }

  // MARK: What a resume does with the slots of the pause

  struct AfterPause: Equatable {
    /// Nil if no slot is left.
    var slot: Instant?
    /// How many slots are folded into it.
    var folded: Int
    /// How many slots are not sent, or folded.
    var missed: Int
  }

  /// Where a recurring schedule continues after a pause that ended at `end`.
  func afterPause(_ policy: MisfirePolicy, endedAt end: Instant, from nextTick: Schedule.NextTick) -> AfterPause {
    guard nextTick.slot <= end else { return AfterPause(slot: nextTick.slot, folded: nextTick.missed, missed: 0) }
    let latest = lastSlot(atOrBefore: end, from: nextTick.slot)
    let folded = missed(before: latest, from: nextTick)
    let allSkipped = AfterPause(slot: next(after: latest), folded: 0, missed: min(1000, folded + 1))
    guard policy != .skip, !isOver(at: end) else { return allSkipped }
    guard let oldest = oldestToSend(policy, endedAt: end) else {
      return latest == nextTick.slot
        ? AfterPause(slot: latest, folded: nextTick.missed, missed: 0)
        : AfterPause(slot: latest, folded: folded, missed: folded)
    }
    switch policy {
    case .fireOnce where latest < oldest: return allSkipped
    case .fireOnce:
      return AfterPause(slot: latest, folded: folded, missed: latest == nextTick.slot ? 0 : folded)
    case .fireAll, .skip:
      guard nextTick.slot < oldest else { return AfterPause(slot: nextTick.slot, folded: nextTick.missed, missed: 0) }
      let last = lastSlot(atOrBefore: oldest.advanced(byMilliseconds: -1), from: nextTick.slot)
      return AfterPause(
        slot: next(after: last), folded: 0, missed: min(1000, missed(before: last, from: nextTick) + 1))
    }
  }

  /// Whether a resume leaves out a slot of the pause.
  func isLeftOut(_ slot: Instant, after pause: Schedule.CatchUp) -> Bool {
    guard slot <= pause.through else { return false }
    if pause.policy == .skip || isOver(at: pause.through) { return true }
    return oldestToSend(pause.policy, endedAt: pause.through).map { slot < $0 } ?? false
  }

  private func isOver(at end: Instant) -> Bool { definition.endDate.map { $0 < end } ?? false }

  /// The oldest slot of a pause that may be sent; nil without a bound.
  private func oldestToSend(_ policy: MisfirePolicy, endedAt end: Instant) -> Instant? {
    let window = definition.catchupWindow?.milliseconds ?? (policy == .fireAll ? SimulationChecker.day : nil)
    return window.map { end.advanced(byMilliseconds: -$0) }
  }

  private func lastSlot(atOrBefore bound: Instant, from first: Instant) -> Instant {
    let bound = min(bound, definition.endDate ?? bound)
    guard let step, bound > first else { return first }
    return first.advanced(byMilliseconds: (bound.milliseconds - first.milliseconds) / step * step)
  }

  private func missed(before last: Instant, from nextTick: Schedule.NextTick) -> Int {
    min(1000, nextTick.missed + Int(clamping: count(from: nextTick.slot, to: last) ?? 0))
  }
}

extension DefinitionChange {
  /// A definition with these changes, by a reading of the contract of its own.
  func changing(_ definition: Definition) -> Definition {
    var changed = definition
    if removed.contains(.limit) { changed.limit = nil }
    if removed.contains(.endDate) { changed.endDate = nil }
    if removed.contains(.jitter) { changed.jitter = nil }
    if removed.contains(.misfirePolicy) { changed.misfirePolicy = nil }
    if removed.contains(.payload) { changed.payload = nil }
    if removed.contains(.target) { changed.target = nil }
    for value in values {
      switch value {
      case .timing(let timing): changed.timing = timing
      case .limit(let limit): changed.limit = limit
      case .endDate(let end): changed.endDate = end
      case .jitter(let jitter): changed.jitter = jitter
      case .misfirePolicy(let policy): changed.misfirePolicy = policy
      case .catchupWindow(let window): changed.catchupWindow = window
      case .payload(let payload): changed.payload = payload
      case .description(let text): changed.description = text
      case .target(let target): changed.target = target
      case .group(let group): changed.group = group
      case .timezone, .startDate, .tags: break  // no simulated client sends these
      }
    }
    return changed
  }
}
