import Recurrence

/// The rule of Schedule Update.
extension CommandDecision {
  /// Decides an Update that is not a duplicate: counter and pause stay.
  ///
  /// - Parameters:
  ///   - mayHaveBeenSent: Whether the next tick may have been published. Then it keeps its slot, and the new definition
  ///     takes the slots after it.
  ///   - latestWall: The latest reading of the wall clock: up to there, the slots of a cron expression have been.
  ///   - secret: Of the database.
  static func update(
    _ update: Command.Update, existing: Schedule?, mayHaveBeenSent: Bool, zones: (Definition) -> ZoneRules?,
    origin: Origin, now: Instant, latestWall: Instant, secret: SipHash.Key
  ) -> (Self, RememberedCommand.Answer) {
    let command = Command.update(update)
    guard let existing, let nextTick = existing.nextTick else { return noSuchSchedule(command, origin: origin) }
    if let expected = update.ifRevision, expected != existing.control.revision {
      let reason =
        "the schedule has revision \(existing.control.revision), not \(expected): describe it and decide again"
      return rejectedByState(command, field: "ifRevision", reason: reason, origin: origin)
    }
    let definition = update.change.applied(to: existing.definition)
    let changed = definition.fieldsChanged(since: existing.definition)
    if let conflict = definition.conflictOfDates {
      return rejectedByState(command, field: conflict.field, reason: conflict.reason, origin: origin)
    }
    guard let zone = zones(definition) else {
      return zoneMissing(command, definition, isOfState: true, origin: origin)
    }

    var updated = existing
    updated.definition = definition
    updated.keepDigest(of: existing, secret: secret)
    if updated.hasReachedLimit(existing.counter), !mayHaveBeenSent {
      updated = updated.advanced(
        to: existing.progress.with(state: .ended(updated.ending(Schedule.EndReason.countLimit, at: now))))
    } else {
      let begin = definition.isCron ? max(now, latestWall) : now
      guard let next = existing.nextTick(of: definition, after: nextTick, update, at: begin, in: zone) else {
        return rejectedByState(
          command, field: definition.fieldThatLeavesNoSlot, reason: definition.noSlotReason, origin: origin)
      }
      if !mayHaveBeenSent {
        updated.progress = updated.heldBack(existing.progress.with(state: .live(next)))
      } else if definition.hasOtherSlots(than: existing.definition) {
        updated.control.followingSlot = next.slot
        updated.control.isSlotInDoubt = true
      }
    }
    if !changed.isEmpty || !updated.isLive { updated.control.revision += 1 }
    return controlled(
      .updated(changed: changed, ignored: update.ignored), existing, to: updated, isRedefined: true, origin: origin)
  }
}

extension Schedule {
  /// The next tick under another definition; nil if that leaves none.
  fileprivate func nextTick(
    of definition: Definition, after nextTick: NextTick, _ update: Command.Update, at now: Instant, in zone: ZoneRules
  ) -> NextTick? {
    guard definition.hasOtherSlots(than: self.definition) || nextTick.isHeld else {
      var next = nextTick
      next.due = definition.due(of: next.slot, in: zone)
      return next
    }
    if definition.keepsSlot(of: self.definition) {
      // The next tick may be one of a former definition.
      let slot = control.followingSlot ?? nextTick.slot
      guard definition.isWithinDates(slot) else { return nil }
      var next = nextTick
      (next.slot, next.due) = (slot, definition.due(of: slot, in: zone))
      return next
    }
    return definition.firstTick(arrival: now, time: update.time, in: zone)
  }

  /// A later Start is compared with the definition of the last Start, not with that of an Update. A schedule from an
  /// earlier version gets its digest now.
  fileprivate mutating func keepDigest(of existing: Schedule, secret: SipHash.Key) {
    declaration.digest = existing.declaration.digest ?? existing.definition.digest(secret: secret)
  }
}

extension Definition {
  /// Whether dates alone do not move the next slot: an interval keeps its grid, a one-shot its instant.
  fileprivate func keepsSlot(of before: Definition) -> Bool {
    guard timing == before.timing else { return false }
    return switch timing {
    case .cron: false
    case .every: startDate == before.startDate
    case .at, .duration: true
    }
  }

  /// Why its dates exclude each other or its only slot; nil if they do not.
  fileprivate var conflictOfDates: (field: String, reason: String)? {
    if let startDate, let endDate, endDate < startDate {
      return ("endDate", "endDate \(endDate.rfc3339) would be before startDate \(startDate.rfc3339)")
    }
    guard case .at(let instant) = timing else { return nil }
    if let startDate, instant < startDate {
      return ("at", "at \(instant.rfc3339) would be before startDate \(startDate.rfc3339)")
    }
    if let endDate, instant > endDate {
      return ("at", "at \(instant.rfc3339) would be after endDate \(endDate.rfc3339)")
    }
    return nil
  }
}
