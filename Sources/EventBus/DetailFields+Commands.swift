import Bytes
import Recurrence
import Scheduling

/// Decodes commands from the fields.
extension DetailFields {
  private static let longestReason = 1024

  /// The content of a Schedule Stop.
  func stop() throws(FieldError) -> Command.Stop {
    Command.Stop(id: try id(), reason: try reason() ?? Command.Stop.usualReason)
  }

  /// The content of a Schedule Pause.
  func pause(time: Instant?) throws(FieldError) -> Command.Pause {
    Command.Pause(id: try id(), end: try pauseEnd(), reason: try reason(), time: time)
  }

  private func pauseEnd() throws(FieldError) -> Command.Pause.End? {
    let until = try instant(.until, rounding: .up)
    let length = try duration(.for)
    if until != nil, length != nil { throw FieldError(.for, "until and for exclude each other: send at most one") }
    return until.map { .until($0) } ?? length.map { .after($0) }
  }

  /// The content of a Schedule Resume.
  func resume() throws(FieldError) -> Command.Resume {
    Command.Resume(id: try id(), misfirePolicy: try choice(.misfirePolicy), reason: try reason())
  }

  /// The content of a command that selects by group or prefix; nil if it names one schedule, or cannot select.
  func batch(_ name: EventName, time: Instant?) throws(FieldError) -> BatchCommand? {
    guard [.stop, .pause, .resume].contains(name), let selector = try selector() else { return nil }
    let action: BatchCommand.Action =
      switch name {
      case .pause: .pause(end: try pauseEnd(), reason: try reason(), time: time)
      case .resume: .resume(misfirePolicy: try choice(.misfirePolicy), reason: try reason())
      default: .stop(reason: try reason() ?? Command.Stop.usualReason)
      }
    return BatchCommand(
      selector: selector, action: action,
      maximum: try number(.max, in: 1...BatchCommand.largestMaximum) ?? BatchCommand.usualMaximum)
  }

  /// Nil for an `id`, or for nothing.
  private func selector() throws(FieldError) -> BatchCommand.Selector? {
    let named = [Name.id, .group, .prefix].filter { self[$0] != nil }
    guard named.count <= 1 else {
      throw FieldError(named[1], "id, group and prefix exclude each other: send exactly one of them")
    }
    if let group = try name(.group, upTo: Self.longestGroup) { return .group(Array(group.utf8)) }
    if let prefix = try name(.prefix, upTo: ScheduleID.maximumLength) { return .prefix(Array(prefix.utf8)) }
    guard self[.max] == nil else { throw FieldError(.max, "max is for group and prefix: it has no meaning with id") }
    return nil
  }

  /// The content of a Schedule Trigger.
  func trigger() throws(FieldError) -> Command.Trigger {
    Command.Trigger(id: try id(), payload: self[.payload].map { Array($0.bytes) })
  }

  /// The content of a Schedule Update.
  ///
  /// - Parameter zones: As of a Start.
  func update(zones: (String) -> ZoneRules?, time: Instant?) throws(FieldError) -> Command.Update {
    let id = try id()
    try refuse([.ifExists, .paused])
    var values: [DefinitionChange.Value] = []
    if [Name.cron, .duration, .at, .every].contains(where: { self[$0] != nil }) {
      values.append(.timing(try timing()))
    }
    if let limit = try limit() { values.append(.limit(limit)) }
    if let timezone = try timezone(known: zones) { values.append(.timezone(timezone)) }
    if let start = try instant(.startDate, rounding: .up) { values.append(.startDate(start)) }
    if let end = try instant(.endDate, rounding: .down) { values.append(.endDate(end)) }
    if let jitter = try duration(.jitter) { values.append(.jitter(jitter)) }
    if let policy: MisfirePolicy = try choice(.misfirePolicy) { values.append(.misfirePolicy(policy)) }
    if let window = try duration(.catchupWindow) { values.append(.catchupWindow(window)) }
    if let payload = self[.payload] { values.append(.payload(Array(payload.bytes))) }
    if let group = try name(.group, upTo: Self.longestGroup) { values.append(.group(group)) }
    if let tags = try tags() { values.append(.tags(tags)) }
    if let description = try text(.description, upTo: Self.longestDescription) {
      values.append(.description(description))
    }
    if let target = try target() { values.append(.target(target)) }
    let change = DefinitionChange(values: values, removed: try removed())
    return Command.Update(
      id: id, change: change, ifRevision: try wholeNumber(.ifRevision), time: time, ignored: unknown(to: .update))
  }

  /// The names in `remove`, none of which the same event sets.
  private func removed() throws(FieldError) -> [DefinitionChange.Removable] {
    guard let names = try texts(.remove, upTo: Self.longestTag) else { return [] }
    var removed: [DefinitionChange.Removable] = []
    for text in names {
      guard let field = DefinitionChange.Removable(rawValue: text), let name = Name(rawValue: text) else {
        let fields = DefinitionChange.Removable.allCases.map(\.rawValue).joined(separator: ", ")
        throw FieldError(.remove, "remove holds \(Array(text.utf8)[...].quoted): a schedule can do without \(fields)")
      }
      guard self[name] == nil else { throw FieldError(.remove, "\(text) is both set and removed") }
      if !removed.contains(field) { removed.append(field) }
    }
    return removed
  }

  private func reason() throws(FieldError) -> String? { try text(.reason, upTo: Self.longestReason) }

  /// Rejects fields that this command does not have, or not in this version, rather than ignoring what was meant.
  func refuse(_ names: [Name]) throws(FieldError) {
    for name in names where self[name] != nil {
      throw FieldError(name, "\(name.rawValue) is not supported here by this version")
    }
  }

}
