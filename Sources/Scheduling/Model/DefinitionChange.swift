package import Recurrence

/// The fields of a definition that a Schedule Update changes. What it does not name stays.
package struct DefinitionChange: Hashable, Sendable {
  /// The new value of a field.
  package enum Value: Hashable, Sendable {
    /// Replaces whatever timing there was.
    case timing(Timing)
    case limit(Int64)
    case timezone(String)
    case startDate(Instant)
    case endDate(Instant)
    case jitter(DurationExpression)
    case misfirePolicy(MisfirePolicy)
    case catchupWindow(DurationExpression)
    case payload([UInt8])
    case group(String)
    case tags([String])
    case description(String)
    case target(Target)
  }

  /// A field that can be dropped.
  package enum Removable: String, CaseIterable, Sendable {
    case limit, timezone, startDate, endDate, jitter, misfirePolicy, catchupWindow, payload, group, tags, description,
      target
  }

  package var values: [Value]
  package var removed: [Removable]

  package init(values: [Value], removed: [Removable] = []) {
    self.values = values
    self.removed = removed
  }

  /// The definition with these changes.
  package func applied(to definition: Definition) -> Definition {
    var definition = definition
    for field in removed { definition.remove(field) }
    for value in values { definition.set(value) }
    return definition
  }
}

extension Definition {
  fileprivate mutating func set(_ value: DefinitionChange.Value) {
    switch value {
    case .timing(let value): timing = value
    case .limit(let value): limit = value
    case .timezone(let value): timezone = value
    case .startDate(let value): startDate = value
    case .endDate(let value): endDate = value
    case .jitter(let value): jitter = value
    case .misfirePolicy(let value): misfirePolicy = value
    case .catchupWindow(let value): catchupWindow = value
    case .payload(let value): payload = value
    case .group(let value): group = value
    case .tags(let value): tags = value
    case .description(let value): description = value
    case .target(let value): target = value
    }
  }

  fileprivate mutating func remove(_ field: DefinitionChange.Removable) {
    switch field {
    case .limit: limit = nil
    case .timezone: timezone = nil
    case .startDate: startDate = nil
    case .endDate: endDate = nil
    case .jitter: jitter = nil
    case .misfirePolicy: misfirePolicy = nil
    case .catchupWindow: catchupWindow = nil
    case .payload: payload = nil
    case .group: group = nil
    case .tags: tags = nil
    case .description: description = nil
    case .target: target = nil
    }
  }

  /// The names of the fields that differ.
  package func fieldsChanged(since before: Definition) -> [String] {
    let fields: [(name: String, differs: Bool)] = [
      (timing.fieldName, timing != before.timing), ("limit", limit != before.limit),
      ("timezone", timezone != before.timezone), ("startDate", startDate != before.startDate),
      ("endDate", endDate != before.endDate), ("jitter", jitter != before.jitter),
      ("misfirePolicy", misfirePolicy != before.misfirePolicy),
      ("catchupWindow", catchupWindow != before.catchupWindow), ("payload", payload != before.payload),
      ("group", group != before.group), ("tags", tags != before.tags),
      ("description", description != before.description), ("target", target != before.target),
    ]
    return fields.filter(\.differs).map(\.name)
  }

  /// Whether the next slot has to be found again after a change from `before`.
  func hasOtherSlots(than before: Definition) -> Bool {
    timing != before.timing || timezone != before.timezone || startDate != before.startDate
      || endDate != before.endDate
  }
}

extension Timing {
  /// The name of its field in an event.
  package var fieldName: String {
    switch self {
    case .cron: "cron"
    case .every: "every"
    case .at: "at"
    case .duration: "duration"
    }
  }
}
