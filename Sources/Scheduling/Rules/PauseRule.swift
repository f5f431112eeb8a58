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
    let end = pause.end?.instant(from: pause.time, at: now)
    if let end, let reason = refusal(ofEnd: end, at: now) {
      return rejected(.pause(pause), field: pause.end?.field ?? "until", reason: reason, origin: origin)
    }
    let paused = existing.paused(until: end, reason: pause.reason, mayHaveBeenSent: mayHaveBeenSent, at: now)
    return controlled(.paused, existing, to: paused, origin: origin)
  }

  /// Why a pause cannot end at an instant; nil if it can.
  static func refusal(ofEnd end: Instant, at now: Instant) -> String? {
    end <= now ? "the pause would have ended at \(end.rfc3339), which is not after now" : nil
  }
}

extension Command.Pause.End {
  /// A `for` counts from the event's time, unless that is in the future.
  func instant(from time: Instant?, at now: Instant) -> Instant {
    switch self {
    case .until(let instant): instant
    case .after(let length): min(time ?? now, now).advanced(byMilliseconds: length.milliseconds)
    }
  }

  var field: String {
    if case .after = self { "for" } else { "until" }
  }
}
