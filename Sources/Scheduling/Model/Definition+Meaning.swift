import Recurrence

extension Definition {
  /// Whether a Start with the other definition would ask for the same. Fields are compared by meaning, absent ones by
  /// their defaults, the payload by its bytes; `ifExists` is ignored.
  ///
  /// - Parameter comparesPayload: Whether to compare payloads. Not if one of them is no longer known.
  package func asksForTheSame(as other: Definition, payload comparesPayload: Bool = true) -> Bool {
    meaning(withPayload: comparesPayload) == other.meaning(withPayload: comparesPayload)
  }

  /// A hash of what the fields mean, by which a definition is recognised when its payload is gone.
  ///
  /// - Parameter secret: Of the database, so that nobody can construct two definitions with the same digest.
  package func digest(secret: SipHash.Key) -> DefinitionDigest {
    var hash = SipHash(key: secret)
    meaning(withPayload: true).append(to: &hash)
    let (high, low) = hash.finish()
    return DefinitionDigest(high: high, low: low)
  }

  /// Whether a Start with this definition leaves a schedule with the same definition unchanged.
  package var keepsTheSame: Bool { ifExists == .keep || ifExists == .replaceIfChanged }

  /// The definition with every field in one form.
  private func meaning(withPayload: Bool) -> Meaning {
    Meaning(
      id: id, timing: timing.meaning, limit: limit ?? 0, timezone: timezone ?? "UTC", startDate: startDate,
      endDate: endDate, jitter: jitter?.milliseconds ?? 0, misfirePolicy: misfirePolicy ?? .fireOnce,
      catchupWindow: catchupMilliseconds, payload: withPayload ? payload : nil, group: group, tags: tags ?? [],
      description: description, target: target)
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
    let group: String?
    let tags: [String]
    let description: String?
    let target: Target?

    /// Appends the fields, each tagged so that it cannot be confused with another. The encoding must never change,
    /// since hashes are stored.
    func append(to hash: inout SipHash) {
      hash.append(field: 1, bytes: id.bytes)
      switch timing {
      case .cron(let text): hash.append(field: 2, bytes: text.utf8)
      case .every(let milliseconds): hash.append(field: 3, milliseconds)
      case .at(let instant): hash.append(field: 4, instant.milliseconds)
      case .duration(let milliseconds): hash.append(field: 5, milliseconds)
      }
      hash.append(field: 6, limit)
      hash.append(field: 7, bytes: timezone.utf8)
      if let startDate { hash.append(field: 8, startDate.milliseconds) }
      if let endDate { hash.append(field: 9, endDate.milliseconds) }
      hash.append(field: 10, jitter)
      hash.append(field: 11, bytes: misfirePolicy.rawValue.utf8)
      if let catchupWindow { hash.append(field: 12, catchupWindow) }
      if let payload { hash.append(field: 13, bytes: payload) }
      if let group { hash.append(field: 14, bytes: group.utf8) }
      for tag in tags { hash.append(field: 15, bytes: tag.utf8) }
      if let description { hash.append(field: 16, bytes: description.utf8) }
      target?.append(to: &hash, as: 17)
    }
  }

  /// How old, in milliseconds, a missed slot may be and still be sent; nil without a limit.
  package var catchupMilliseconds: Int64? {
    if let catchupWindow { return catchupWindow.milliseconds }
    return misfirePolicy == .fireAll ? Self.defaultCatchupMilliseconds : nil
  }

  static let defaultCatchupMilliseconds: Int64 = 86_400_000
}

/// Recognises a definition: 128 bits over what its fields mean, the payload by its bytes, `ifExists` ignored.
package struct DefinitionDigest: Hashable, Sendable {
  package var high: UInt64
  package var low: UInt64

  package init(high: UInt64, low: UInt64) {
    self.high = high
    self.low = low
  }
}

extension SipHash {
  fileprivate mutating func append(field: UInt8, _ number: Int64) {
    append(CollectionOfOne(field))
    for shift in stride(from: 0, to: 64, by: 8) { append(CollectionOfOne(UInt8(truncatingIfNeeded: number >> shift))) }
  }

  fileprivate mutating func append(field: UInt8, bytes: some Collection<UInt8>) {
    append(field: field, Int64(bytes.count))
    append(bytes)
  }
}

extension Timing {
  /// Durations are compared by length, however they were written.
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
