import Recurrence
import Scheduling

/// Decodes the definition of a schedule.
extension DetailFields {
  private static let longestCron = 256
  static let longestDescription = 1024
  static let longestGroup = 200
  private static let mostTags = 16
  static let longestTag = 64
  /// Far longer than any name of the IANA database.
  private static let longestZone = 128
  private static let shortestIntervalMilliseconds: Int64 = 1000

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
      payload: self[.payload].map { Array($0.bytes) }, group: try name(.group, upTo: Self.longestGroup),
      tags: try tags(), description: try text(.description, upTo: Self.longestDescription), target: try target())
    try checkDates(of: definition)
    return definition
  }

  func tags() throws(FieldError) -> [String]? {
    guard let tags = try texts(.tags, upTo: Self.longestTag) else { return nil }
    guard tags.count <= Self.mostTags else {
      throw FieldError(.tags, "tags has \(tags.count) entries: at most \(Self.mostTags) are accepted")
    }
    guard !tags.contains("") else { throw FieldError(.tags, "tags holds an empty text") }
    return tags
  }

  func timing() throws(FieldError) -> Timing {
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

  func cron() throws(FieldError) -> CronExpression? {
    guard let text = try text(.cron, upTo: Self.longestCron) else { return nil }
    do {
      return try CronExpression(text)
    } catch {
      throw FieldError(.cron, error.description)
    }
  }

  func interval() throws(FieldError) -> DurationExpression? {
    guard let interval = try duration(.every) else { return nil }
    guard interval.milliseconds >= Self.shortestIntervalMilliseconds else {
      throw FieldError(.every, "every is \(interval.milliseconds) ms: at least 1 s is accepted")
    }
    return interval
  }

  func limit() throws(FieldError) -> Int64? { try wholeNumber(.limit) }

  func timezone(known zones: (String) -> ZoneRules?) throws(FieldError) -> String? {
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

  func checkDates(of definition: Definition) throws(FieldError) {
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
}
