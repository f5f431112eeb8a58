import Recurrence

extension Definition {
  /// Whether a Start with the other definition would ask for nothing else: compared by what the fields mean, absent ones
  /// by their defaults; the payload by its bytes, `ifExists` not at all.
  package func asksForTheSame(as other: Definition) -> Bool { meaning == other.meaning }

  /// The definition with every field in one form.
  private var meaning: Meaning {
    Meaning(
      id: id, timing: timing.meaning, limit: limit ?? 0, timezone: timezone ?? "UTC", startDate: startDate,
      endDate: endDate, jitter: jitter?.milliseconds ?? 0, misfirePolicy: misfirePolicy ?? .fireOnce,
      catchupWindow: catchupMilliseconds, payload: payload)
  }

  private struct Meaning: Hashable {
    let id: ScheduleID
    let timing: Timing.Meaning
    let limit: Int64
    let timezone: String
    let startDate, endDate: Instant?
    let jitter: Int64
    let misfirePolicy: MisfirePolicy
    let catchupWindow: Int64?
    let payload: [UInt8]?
  }

  /// How old, in milliseconds, a missed slot may be that is still sent; nil when there is no bound.
  package var catchupMilliseconds: Int64? {
    if let catchupWindow { return catchupWindow.milliseconds }
    return misfirePolicy == .fireAll ? 86_400_000 : nil
  }
}

extension Timing {
  /// A duration by its length, however it was written.
  fileprivate enum Meaning: Hashable {
    case cron(String), every(Int64), at(Instant), duration(Int64)
  }

  fileprivate var meaning: Meaning {
    switch self {
    case .cron(let expression): .cron(expression.text)
    case .every(let interval): .every(interval.milliseconds)
    case .at(let instant): .at(instant)
    case .duration(let delay): .duration(delay.milliseconds)
    }
  }
}
