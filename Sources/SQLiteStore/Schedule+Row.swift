import Recurrence
import Scheduling

extension Schedule {
  /// Nil for an invalid row: damaged, or with an expression that this version rejects.
  init?(_ row: ColumnValues) {
    guard let generation = row.integer(.generation), let rowKey = row.integer(.rowKey), let id = row.bytes(.id),
      let counter = row.integer(.counter), let timing = Timing(row), let state = State(row),
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
        messageID: row.bytes(.messageID), userID: row.freeText(.userID), traceparent: row.freeText(.traceparent),
        tracestate: row.freeText(.tracestate)),
      key: Key(generation: generation, rowKey: rowKey),
      progress: Progress(state: state, counter: counter),
      declaration: Declaration(
        digest: row.bytes(.startDigest).flatMap(DefinitionDigest.init), isLasting: row.integer(.isLasting) == 1))
  }
}

extension Timing {
  fileprivate init?(_ row: ColumnValues) {
    if let text = row.text(.cron) {
      guard let expression = try? CronExpression(stored: text) else { return nil }
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
    if let slot = row.instant(.slot), let rank = row.integer(.due), let missed = row.integer(.missed) {
      self = .live(
        Schedule.NextTick(
          slot: slot, due: DuePosition.due(ofRank: rank), missed: Int(clamping: missed), since: row.instant(.since)))
    } else if let at = row.instant(.endedAt), let owesStopped = row.integer(.owesStopped) {
      let kind = row.integer(.endKind).flatMap { Schedule.Ending.Kind(rawValue: Int(clamping: $0)) }
      self = .ended(
        Schedule.Ending(reason: row.freeText(.endReason), at: at, owesStopped: owesStopped != 0, kind: kind))
    } else {
      return nil
    }
  }
}

extension ColumnValues {
  func integer(_ column: ScheduleColumn) -> Int64? { integer(column.rawValue) }
  func bytes(_ column: ScheduleColumn) -> [UInt8]? { bytes(column.rawValue) }

  fileprivate func text(_ column: ScheduleColumn) -> String? { text(column.rawValue) }

  fileprivate func instant(_ column: ScheduleColumn) -> Instant? { instant(column.rawValue) }

  /// Decodes a text column: `.some(nil)` for NULL, nil for an invalid value.
  fileprivate func read<Value>(_ column: ScheduleColumn, _ value: (String) -> Value?) -> Value?? {
    guard let text = text(column) else { return isNull(column.rawValue) ? .some(nil) : nil }
    return value(text).map { .some($0) }
  }

  fileprivate func freeText(_ column: ScheduleColumn) -> String? { freeText(column.rawValue) }

  func instant(_ column: Int) -> Instant? { integer(column).map { Instant(milliseconds: $0) } }

  /// Text stored as a blob.
  func freeText(_ column: Int) -> String? { bytes(column).map { String(decoding: $0, as: UTF8.self) } }
}
