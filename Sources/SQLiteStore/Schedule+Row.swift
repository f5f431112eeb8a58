import Recurrence
import Scheduling

/// What is kept of a schedule: first the columns of table `schedule`, then those of table `progress`, each in the order in
/// which every statement lists them.
enum ScheduleColumn: Int, CaseIterable {
  case generation, id
  case cron, every, at, duration, tickLimit, timezone, startDate, endDate, jitter
  case misfirePolicy, catchupWindow, ifExists
  case messageID, traceparent, tracestate
  case payload
  // From here on of table progress, beside its generation.
  case counter
  case slot, due, missed, since
  case endedAt, endReason, owesStopped

  /// Written once.
  static let definition = allCases.filter { $0.rawValue < counter.rawValue }
  /// Written with every tick.
  static let progress = allCases.filter { $0.rawValue >= counter.rawValue }

  static func names(_ columns: [ScheduleColumn], of table: String? = nil) -> String {
    columns.map { column in table.map { "\($0).\(column)" } ?? "\(column)" }.joined(separator: ", ")
  }
}

extension Schedule {
  /// Hands over the values of some columns, in their order.
  func bind(_ columns: [ScheduleColumn], to parameters: inout ParameterValues) {
    for column in columns { bind(column, to: &parameters) }
  }

  private func bind(_ column: ScheduleColumn, to parameters: inout ParameterValues) {
    switch column {
    case .generation: parameters.bind(generation)
    case .id: parameters.bind(id.bytes)
    case .cron, .every, .at, .duration: definition.timing.bind(column, to: &parameters)
    case .tickLimit: parameters.bind(definition.limit)
    case .timezone: parameters.bind(definition.timezone)
    case .startDate: parameters.bind(definition.startDate?.milliseconds)
    case .endDate: parameters.bind(definition.endDate?.milliseconds)
    case .jitter: parameters.bind(definition.jitter?.text)
    case .messageID: parameters.bind(origin.messageID)
    case .traceparent: parameters.bind(origin.traceparent.map { Array($0.utf8) })
    case .tracestate: parameters.bind(origin.tracestate.map { Array($0.utf8) })
    case .counter: parameters.bind(counter)
    case .slot: parameters.bind(pending?.slot.milliseconds)
    case .due: parameters.bind(pending?.due.milliseconds)
    case .missed: parameters.bind(pending?.missed)
    case .since: parameters.bind(pending?.since?.milliseconds)
    case .endedAt: parameters.bind(ending?.at.milliseconds)
    case .endReason: parameters.bind(ending?.reason.map { Array($0.utf8) })
    case .owesStopped: parameters.bind(ending?.owesStopped)
    case .payload: parameters.bind(definition.payload)
    case .misfirePolicy: parameters.bind(definition.misfirePolicy?.rawValue)
    case .catchupWindow: parameters.bind(definition.catchupWindow?.text)
    case .ifExists: parameters.bind(definition.ifExists?.rawValue)
    }
  }
}

extension Timing {
  /// The value of one of the four columns for the timing: NULL in all but the one that says it.
  fileprivate func bind(_ column: ScheduleColumn, to parameters: inout ParameterValues) {
    switch (self, column) {
    case (.cron(let expression), .cron): parameters.bind(expression.text)
    case (.every(let length), .every), (.duration(let length), .duration): parameters.bind(length.text)
    case (.at(let instant), .at): parameters.bind(instant.milliseconds)
    default: parameters.bind(nil as Int64?)
    }
  }
}

extension Schedule {
  /// Nil when the row does not make a schedule: what it says was damaged, or this version refuses its expression.
  init?(_ row: ColumnValues) {
    guard let generation = row.integer(.generation), let id = row.bytes(.id), let counter = row.integer(.counter),
      let timing = Timing(row), let state = State(row),
      let jitter = row.read(.jitter, { try? DurationExpression($0) }),
      let misfirePolicy = row.read(.misfirePolicy, MisfirePolicy.init),
      let catchupWindow = row.read(.catchupWindow, { try? DurationExpression($0) }),
      let ifExists = row.read(.ifExists, IfExists.init)
    else { return nil }
    self.init(
      definition: Definition(
        id: ScheduleID(stored: id), timing: timing, limit: row.integer(.tickLimit), timezone: row.text(.timezone),
        startDate: row.instant(.startDate), endDate: row.instant(.endDate), jitter: jitter,
        misfirePolicy: misfirePolicy, catchupWindow: catchupWindow, ifExists: ifExists, payload: row.bytes(.payload)),
      origin: Origin(
        messageID: row.bytes(.messageID), traceparent: row.freeText(.traceparent),
        tracestate: row.freeText(.tracestate)),
      generation: generation, counter: counter, state: state)
  }
}

extension Timing {
  fileprivate init?(_ row: ColumnValues) {
    if let text = row.text(.cron) {
      guard let expression = try? CronExpression(text) else { return nil }
      self = .cron(expression)
    } else if let text = row.text(.every) {
      guard let interval = try? DurationExpression(text) else { return nil }
      self = .every(interval)
    } else if let instant = row.instant(.at) {
      self = .at(instant)
    } else if let text = row.text(.duration) {
      guard let duration = try? DurationExpression(text) else { return nil }
      self = .duration(duration)
    } else {
      return nil
    }
  }
}

extension Schedule.State {
  fileprivate init?(_ row: ColumnValues) {
    if let slot = row.instant(.slot), let due = row.instant(.due), let missed = row.integer(.missed) {
      self = .live(
        Schedule.Pending(slot: slot, due: due, missed: Int(clamping: missed), since: row.instant(.since)))
    } else if let at = row.instant(.endedAt), let owesStopped = row.integer(.owesStopped) {
      self = .ended(Schedule.Ending(reason: row.freeText(.endReason), at: at, owesStopped: owesStopped != 0))
    } else {
      return nil
    }
  }
}

extension ColumnValues {
  func integer(_ column: ScheduleColumn) -> Int64? { integer(column.rawValue) }
  func bytes(_ column: ScheduleColumn) -> [UInt8]? { bytes(column.rawValue) }

  fileprivate func text(_ column: ScheduleColumn) -> String? { text(column.rawValue) }

  fileprivate func instant(_ column: ScheduleColumn) -> Instant? {
    integer(column).map { Instant(milliseconds: $0) }
  }

  /// A value that is written as text: `.some(nil)` where there is none, nil where it cannot be read.
  fileprivate func read<Value>(_ column: ScheduleColumn, _ value: (String) -> Value?) -> Value?? {
    guard let text = text(column) else { return isNull(column.rawValue) ? .some(nil) : nil }
    return value(text).map { .some($0) }
  }

  /// Text that is kept as bytes.
  fileprivate func freeText(_ column: ScheduleColumn) -> String? {
    bytes(column).map { String(decoding: $0, as: UTF8.self) }
  }
}
