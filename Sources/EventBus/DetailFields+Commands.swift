import Bytes
import Recurrence
import Scheduling

/// Decodes commands from the fields.
extension DetailFields {
  private static let longestCron = 256
  private static let longestDuration = 128
  private static let longestReason = 1024
  private static let longestDescription = 1024
  private static let longestGroup = 200
  private static let mostTags = 16
  private static let longestTag = 64
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
    try refuse([.target])
    let definition = Definition(
      id: id, timing: try timing(), limit: try limit(), timezone: try timezone(known: zones),
      startDate: try instant(.startDate, rounding: .up), endDate: try instant(.endDate, rounding: .down),
      jitter: try duration(.jitter), misfirePolicy: try choice(.misfirePolicy),
      catchupWindow: try duration(.catchupWindow), ifExists: try choice(.ifExists),
      payload: self[.payload].map { Array($0.bytes) }, group: try name(.group, upTo: Self.longestGroup),
      tags: try tags(), description: try text(.description, upTo: Self.longestDescription))
    try checkDates(of: definition)
    return definition
  }

  /// The content of a Schedule Stop.
  func stop() throws(FieldError) -> Command.Stop {
    let id = try onlyID()
    guard let reason = try reason() else { return Command.Stop(id: id) }
    return Command.Stop(id: id, reason: reason)
  }

  /// The content of a Schedule Pause.
  func pause(time: Instant?) throws(FieldError) -> Command.Pause {
    let id = try onlyID()
    let until = try instant(.until, rounding: .up)
    let length = try duration(.for)
    if until != nil, length != nil { throw FieldError(.for, "until and for exclude each other: send at most one") }
    let end: Command.Pause.End? = until.map { .until($0) } ?? length.map { .after($0) }
    return Command.Pause(id: id, end: end, reason: try reason(), time: time)
  }

  /// The content of a Schedule Resume.
  func resume() throws(FieldError) -> Command.Resume {
    Command.Resume(id: try onlyID(), misfirePolicy: try choice(.misfirePolicy), reason: try reason())
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
    try refuse([.ifExists, .paused, .target])
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

  /// A boolean; nil when the field is absent.
  func flag(_ name: Name) throws(FieldError) -> Bool? {
    guard let value = self[name] else { return nil }
    guard value.kind == .boolean else {
      throw FieldError(name, "\(name.rawValue) must be true or false, not \(value.kind.rawValue)")
    }
    return value.bytes.first == UInt8(ascii: "t")
  }

  private func reason() throws(FieldError) -> String? { try text(.reason, upTo: Self.longestReason) }

  private func tags() throws(FieldError) -> [String]? {
    guard let tags = try texts(.tags, upTo: Self.longestTag) else { return nil }
    guard tags.count <= Self.mostTags else {
      throw FieldError(.tags, "tags has \(tags.count) entries: at most \(Self.mostTags) are accepted")
    }
    guard !tags.contains("") else { throw FieldError(.tags, "tags holds an empty text") }
    return tags
  }

  /// Strings of at most `limit` bytes each; nil when the field is absent.
  private func texts(_ name: Name, upTo limit: Int) throws(FieldError) -> [String]? {
    guard let value = self[name] else { return nil }
    guard let elements = value.elements else {
      throw FieldError(name, "\(name.rawValue) must be an array of strings, not \(value.kind.rawValue)")
    }
    var texts: [String] = []
    for element in elements {
      guard let text = element.text else {
        throw FieldError(name, "\(name.rawValue) must hold strings only, not \(element.kind.rawValue)")
      }
      guard text.count <= limit else {
        throw FieldError(name, "\(name.rawValue) holds a string of \(text.count) bytes: at most \(limit) are accepted")
      }
      texts.append(String(decoding: text, as: UTF8.self))
    }
    return texts
  }

  /// A text that is not empty.
  private func name(_ name: Name, upTo limit: Int) throws(FieldError) -> String? {
    let text = try text(name, upTo: limit)
    if text?.isEmpty == true { throw FieldError(name, "\(name.rawValue) is empty") }
    return text
  }

  /// The id of a command that will also select by group and prefix.
  private func onlyID() throws(FieldError) -> ScheduleID {
    try refuse([.group, .prefix, .max])
    return try id()
  }

  /// Rejects fields that this command does not have, or not in this version, rather than ignoring what was meant.
  private func refuse(_ names: [Name]) throws(FieldError) {
    for name in names where self[name] != nil {
      throw FieldError(name, "\(name.rawValue) is not supported here by this version")
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

  private func limit() throws(FieldError) -> Int64? { try wholeNumber(.limit) }

  func wholeNumber(_ name: Name) throws(FieldError) -> Int64? {
    guard let value = self[name] else { return nil }
    guard value.kind == .number else {
      throw FieldError(name, "\(name.rawValue) must be a whole number in digits, not \(value.kind.rawValue)")
    }
    guard value.bytes.allSatisfy(\.isDigit) else {
      throw FieldError(
        name, "\(name.rawValue) is \(value.bytes.clipped): a whole number in digits is expected, 0 or more")
    }
    guard let number = Int64(String(decoding: value.bytes, as: UTF8.self)), number <= Self.largestLimit else {
      throw FieldError(name, "\(name.rawValue) is \(value.bytes.clipped): at most \(Self.largestLimit) is accepted")
    }
    return number
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
