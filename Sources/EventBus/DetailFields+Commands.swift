import Bytes
import Recurrence
import Scheduling

/// Decodes commands from the fields.
extension DetailFields {
  private static let longestCron = 256
  private static let longestDuration = 128
  private static let longestReason = 1024
  /// Far longer than any name of the IANA database.
  private static let longestZone = 128
  private static let shortestIntervalMilliseconds: Int64 = 1000
  /// The largest integer that every JSON reader represents exactly, 2^53 - 1.
  private static let largestLimit: Int64 = 9_007_199_254_740_991

  /// The definition in a Schedule Start.
  ///
  /// - Parameter zones: Returns the rules of a time zone by its IANA name; nil for an unknown name.
  func definition(zones: (String) -> ZoneRules?) throws(FieldError) -> Definition {
    let id = try id()
    let definition = Definition(
      id: id, timing: try timing(), limit: try limit(), timezone: try timezone(known: zones),
      startDate: try instant(.startDate, rounding: .up), endDate: try instant(.endDate, rounding: .down),
      jitter: try duration(.jitter), misfirePolicy: try choice(.misfirePolicy),
      catchupWindow: try duration(.catchupWindow), ifExists: try choice(.ifExists),
      payload: self[.payload].map { Array($0.bytes) })
    try checkDates(of: definition)
    return definition
  }

  /// The content of a Schedule Stop.
  func stop() throws(FieldError) -> Command.Stop {
    let id = try id()
    guard let reason = try text(.reason, upTo: Self.longestReason) else { return Command.Stop(id: id) }
    return Command.Stop(id: id, reason: reason)
  }

  /// The id, required in every command.
  func id() throws(FieldError) -> ScheduleID {
    guard let value = self[.id] else { throw FieldError(.id, "id is required: the name of the schedule") }
    guard let text = value.text else { throw FieldError(.id, "id must be a string, not \(value.kind.rawValue)") }
    guard !text.isEmpty else { throw FieldError(.id, "id is empty: give the schedule a name") }
    let longest = ScheduleID.maximumLength
    guard text.count <= longest else {
      throw FieldError(.id, "id has \(text.count) bytes: at most \(longest) are accepted")
    }
    guard let id = ScheduleID(validating: String(decoding: text, as: UTF8.self)) else {
      throw FieldError(.id, "id holds a control character")
    }
    return id
  }

  private func timing() throws(FieldError) -> Timing {
    let sent = [Name.cron, .duration, .at, .every].filter { self[$0] != nil }
    guard sent.count <= 1 else {
      let names = sent.map(\.rawValue).joined(separator: " and ")
      throw FieldError(sent[1], "\(names) exclude each other: send exactly one of cron, duration, at, every")
    }
    if let cron = try cron() { return .cron(cron) }
    if let delay = try duration(.duration) { return .duration(delay) }
    if let instant = try instant(.at, rounding: .up) { return .at(instant) }
    if let interval = try interval() { return .every(interval) }
    throw FieldError(.cron, "the timing is missing: send exactly one of cron, duration, at, every")
  }

  private func cron() throws(FieldError) -> CronExpression? {
    guard let text = try text(.cron, upTo: Self.longestCron) else { return nil }
    do {
      return try CronExpression(text)
    } catch {
      throw FieldError(.cron, error.description)
    }
  }

  private func interval() throws(FieldError) -> DurationExpression? {
    guard let interval = try duration(.every) else { return nil }
    guard interval.milliseconds >= Self.shortestIntervalMilliseconds else {
      throw FieldError(.every, "every is \(interval.milliseconds) ms: at least 1 s is accepted")
    }
    return interval
  }

  private func duration(_ name: Name) throws(FieldError) -> DurationExpression? {
    guard let text = try text(name, upTo: Self.longestDuration) else { return nil }
    do {
      return try DurationExpression(text)
    } catch {
      throw FieldError(name, error.description)
    }
  }

  /// One of the values of an enum; nil when the field is absent.
  private func choice<Choice>(_ name: Name) throws(FieldError) -> Choice?
  where Choice: RawRepresentable<String> & CaseIterable {
    guard let text = try text(name, upTo: Self.longestDuration) else { return nil }
    guard let choice = Choice(rawValue: text) else {
      let choices = Choice.allCases.map(\.rawValue).joined(separator: ", ")
      throw FieldError(name, "\(name.rawValue) is \(Array(text.utf8)[...].quoted): use one of \(choices)")
    }
    return choice
  }

  private func limit() throws(FieldError) -> Int64? {
    guard let value = self[.limit] else { return nil }
    guard value.kind == .number else {
      throw FieldError(.limit, "limit must be a whole number in digits, not \(value.kind.rawValue)")
    }
    guard value.bytes.allSatisfy(\.isDigit) else {
      throw FieldError(.limit, "limit is \(value.bytes.clipped): a whole number in digits is expected, 0 or more")
    }
    guard let limit = Int64(String(decoding: value.bytes, as: UTF8.self)), limit <= Self.largestLimit else {
      throw FieldError(.limit, "limit is \(value.bytes.clipped): at most \(Self.largestLimit) is accepted")
    }
    return limit
  }

  private func timezone(known zones: (String) -> ZoneRules?) throws(FieldError) -> String? {
    guard let name = try text(.timezone, upTo: Self.longestZone) else { return nil }
    guard zones(name) != nil else {
      // Every copy of the data has Europe/Rome.
      let hint =
        zones("Europe/Rome") == nil
        ? "this machine has no time zone data; install tzdata" : "use an IANA name such as Europe/Rome"
      throw FieldError(.timezone, "\(Array(name.utf8)[...].quoted) is not a known time zone: \(hint)")
    }
    return name
  }

  private func checkDates(of definition: Definition) throws(FieldError) {
    if let start = definition.startDate, let end = definition.endDate, end < start {
      throw FieldError(.endDate, "endDate \(end.rfc3339) is before startDate \(start.rfc3339)")
    }
    guard case .at(let instant) = definition.timing else { return }
    if let start = definition.startDate, instant < start {
      throw FieldError(.at, "at \(instant.rfc3339) is before startDate \(start.rfc3339)")
    }
    if let end = definition.endDate, instant > end {
      throw FieldError(.at, "at \(instant.rfc3339) is after endDate \(end.rfc3339)")
    }
  }

  private func instant(_ name: Name, rounding: Instant.Rounding) throws(FieldError) -> Instant? {
    guard let value = self[name] else { return nil }
    guard let text = value.text else {
      throw FieldError(name, "\(name.rawValue) must be a string, not \(value.kind.rawValue)")
    }
    guard let instant = Instant(rfc3339: text, rounding: rounding) else {
      throw FieldError(name, "\(name.rawValue) is \(text.quoted): \(rfc3339Hint)")
    }
    return instant
  }

  /// A string of at most `limit` bytes; nil when the field is absent.
  private func text(_ name: Name, upTo limit: Int) throws(FieldError) -> String? {
    guard let value = self[name] else { return nil }
    guard let text = value.text else {
      throw FieldError(name, "\(name.rawValue) must be a string, not \(value.kind.rawValue)")
    }
    guard text.count <= limit else {
      throw FieldError(name, "\(name.rawValue) has \(text.count) bytes: at most \(limit) are accepted")
    }
    return String(decoding: text, as: UTF8.self)
  }
}
