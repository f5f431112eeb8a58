package import Recurrence

extension Schedule {
  /// What control commands have set on a schedule. Most schedules have none of it.
  package struct Control: Hashable, Sendable {
    /// Grows by one with each change of the definition or of the pause, also with a Start that replaces the schedule.
    package var revision: Int64 = 1
    package var pause: Pause?
    /// Whether the next tick may have been published. Usually its due time shows that, but a pause changes the due time.
    /// Such a tick is sent again unchanged.
    package var isSlotInDoubt = false
    /// The slot after one that may have been published, if an Update has changed the timing meanwhile.
    package var followingSlot: Instant?
    /// How unsent slots of the last pause are treated.
    package var catchUp: CatchUp?
    /// The Schedule Resumed of a pause that ended automatically, until the broker has confirmed it.
    package var owedResumed: Resumption?
    /// The triggered tick, until the broker has confirmed it. One at a time.
    package var owedTick: Trigger?
    /// The instant of the last triggered tick. The next one has a later instant.
    package var lastTrigger: Instant?

    package init() {}
  }

  /// No tick of a paused schedule is sent, except triggered ones.
  package struct Pause: Hashable, Sendable {
    /// When it was paused first: pausing it again does not change this.
    package var since: Instant
    /// When it resumes automatically; nil if only a command ends the pause.
    package var until: Instant?
    package var reason: String?

    package init(since: Instant, until: Instant? = nil, reason: String? = nil) {
      self.since = since
      self.until = until
      self.reason = reason
    }
  }

  /// How slots that fell into a pause are treated, whatever the schedule's own misfire policy.
  package struct CatchUp: Hashable, Sendable {
    /// The end of the pause: slots up to here are concerned.
    package var through: Instant
    package var policy: MisfirePolicy

    package init(through: Instant, policy: MisfirePolicy) {
      self.through = through
      self.policy = policy
    }
  }

  /// The content of the Schedule Resumed of a pause that ended automatically.
  package struct Resumption: Hashable, Sendable {
    package var revision: Int64
    package var counter: Int64
    /// Nil if the schedule ended with its pause.
    package var nextSlot: Instant?
    package var missed: Int

    package init(revision: Int64, counter: Int64, nextSlot: Instant?, missed: Int) {
      self.revision = revision
      self.counter = counter
      self.nextSlot = nextSlot
      self.missed = missed
    }
  }

  /// A tick that a Schedule Trigger asked for.
  package struct Trigger: Hashable, Sendable {
    /// Its `scheduledTime`, and what distinguishes its tickId.
    package var instant: Instant
    package var counter: Int64
    package var nextSlot: Instant?
    /// Instead of the schedule's own; nil for that.
    package var payload: [UInt8]?
    /// The command's `message_id`.
    package var messageID: [UInt8]?

    package init(
      instant: Instant, counter: Int64, nextSlot: Instant?, payload: [UInt8]? = nil, messageID: [UInt8]? = nil
    ) {
      self.instant = instant
      self.counter = counter
      self.nextSlot = nextSlot
      self.payload = payload
      self.messageID = messageID
    }
  }
}

extension Schedule {
  /// The slot of the next tick; nil once the schedule has ended, and while it is held or paused.
  package var nextSlot: Instant? {
    guard let nextTick, !nextTick.isHeld, !isPaused else { return nil }
    return nextTick.slot
  }

  package var isLive: Bool { nextTick != nil }

  /// `live`, `held`, `paused` or `ended`, for people and the API. In counts, held and paused ones are live.
  package var stateName: String {
    guard let nextTick else { return "ended" }
    if isPaused { return "paused" }
    return nextTick.isHeld ? "held" : "live"
  }

  /// Whether a pause has moved the due time of a tick that may have been published.
  var isSlotInDoubt: Bool { !hasPlainControl && control.isSlotInDoubt }

  /// Whether its ticks are held back by a pause.
  package var isPaused: Bool { !hasPlainControl && isLive && control.pause != nil }

  /// The progress as it is stored: while the schedule is paused, its next tick is due when the pause ends.
  func heldBack(_ progress: Progress) -> Progress {
    guard !hasPlainControl, let pause = control.pause, case .live(var nextTick) = progress.state, !nextTick.isHeld
    else { return progress }
    nextTick.due = pause.until ?? NextTick.pausedDue
    return progress.with(state: .live(nextTick))
  }

  /// Pauses it, or changes its pause.
  ///
  /// - Parameter mayHaveBeenSent: Whether its next tick may have been published.
  func paused(until: Instant?, reason: String?, mayHaveBeenSent: Bool, at now: Instant) -> Schedule {
    var schedule = self
    schedule.control.pause = Pause(since: control.pause?.since ?? now, until: until, reason: reason)
    if schedule.control.pause != control.pause { schedule.control.revision += 1 }
    schedule.control.isSlotInDoubt = control.isSlotInDoubt || mayHaveBeenSent
    schedule.progress = schedule.heldBack(progress)
    return schedule
  }

  /// A schedule after its pause.
  struct Resumed {
    var schedule: Schedule
    /// The number of slots of the pause that are not sent, or folded into the next tick.
    var missed = 0
    /// Of those, the number that no later tick counts.
    var skipped = 0
  }

  /// Ends its pause.
  ///
  /// A slot that may have been published stays as it is; `catchUp` then applies to the slots after it.
  ///
  /// - Parameters:
  ///   - instant: The last instant of the pause: slots up to then fell into it.
  ///   - policy: What the command says about these slots; nil if it says nothing.
  func resumed(asOf instant: Instant, policy: MisfirePolicy?, at now: Instant, in zone: ZoneRules) -> Resumed {
    var schedule = self
    schedule.control.pause = nil
    schedule.control.revision += 1
    guard var next = nextTick, !next.isHeld else { return Resumed(schedule: schedule) }
    next.due = definition.due(of: next.slot, in: zone)
    schedule.progress.state = .live(next)
    guard !definition.timing.isOneShot else {
      guard policy == .skip, next.slot <= instant, !isSlotInDoubt else { return Resumed(schedule: schedule) }
      schedule.progress.state = .ended(ending(EndReason.skippedWhilePaused, at: now))
      return Resumed(schedule: schedule, missed: 1, skipped: 1)
    }
    schedule.control.catchUp = CatchUp(through: instant, policy: policy ?? .skip)
    guard isSlotInDoubt else { return schedule.caughtUp(next, at: now, in: zone) }
    // What becomes of the slots after it is decided once it is resolved.
    guard case .live(let following) = stateAfter(next.slot, at: now, in: zone) else {
      return Resumed(schedule: schedule)
    }
    return Resumed(schedule: schedule, missed: schedule.caughtUp(following, at: now, in: zone).missed)
  }

  private func caughtUp(_ next: NextTick, at now: Instant, in zone: ZoneRules) -> Resumed {
    var resumed = Resumed(schedule: self)
    switch misfire(next, at: now, threshold: .max, in: zone) {
    case .folded(let folded):
      resumed.schedule.progress.state = .live(folded)
      resumed.missed = folded.missed
    case .skipped(let progress, let count):
      resumed.schedule.progress = progress
      (resumed.missed, resumed.skipped) = (count, count)
    case nil: break
    }
    resumed.schedule.dropCatchUp()
    return resumed
  }

  /// Drops what is left of a pause once the next slot is after it.
  mutating func dropCatchUp() {
    guard !hasPlainControl, let through = control.catchUp?.through else { return }
    if case .live(let next) = progress.state, next.slot <= through { return }
    control.catchUp = nil
  }
}
