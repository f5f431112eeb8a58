import Recurrence

/// The rule of Schedule Pause.
extension CommandDecision {
  /// Decides a Pause that is not a duplicate. A tick in flight was waited for.
  ///
  /// - Parameter mayHaveBeenSent: Whether the next tick may have been published: it is backing off, timed out, or in
  ///   doubt after a crash.
  static func pause(
    _ pause: Command.Pause, existing: Schedule?, mayHaveBeenSent: Bool, origin: Origin, now: Instant
  ) -> (Self, RememberedCommand.Answer) {
    guard let existing, existing.isLive else { return noSuchSchedule(.pause(pause), origin: origin) }
    let end = pause.end(at: now)
    if let end, end <= now {
      let reason = "the pause would have ended at \(end.rfc3339), which is not after now"
      return rejected(.pause(pause), field: pause.fieldOfEnd, reason: reason, origin: origin)
    }
    let paused = existing.paused(until: end, reason: pause.reason, mayHaveBeenSent: mayHaveBeenSent, at: now)
    return controlled(.paused, existing, to: paused, origin: origin)
  }
}

extension Command.Pause {
  /// A `for` counts from the event's time, unless that is in the future.
  fileprivate func end(at now: Instant) -> Instant? {
    switch end {
    case .until(let instant): instant
    case .after(let length): min(time ?? now, now).advanced(byMilliseconds: length.milliseconds)
    case nil: nil
    }
  }

  fileprivate var fieldOfEnd: String {
    if case .after = end { "for" } else { "until" }
  }
}
