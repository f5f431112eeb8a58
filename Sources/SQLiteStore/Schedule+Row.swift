import Foundation
import GRDB
import Recurrence
import Scheduling

/// The columns of table `schedule`, in the order in which every statement lists them.
enum ScheduleColumn: Int, CaseIterable {
  case generation, id
  case cron, every, at, duration, tickLimit, timezone, startDate, endDate, jitter
  case messageID, traceparent, tracestate
  case counter
  case slot, due, missed, since
  case endedAt, endReason, owesStopped
  case payload
  case misfirePolicy, catchupWindow, ifExists

  static let names = allCases.map { "\($0)" }.joined(separator: ", ")
  static let insertion =
    "INSERT INTO schedule (\(names)) VALUES (\(allCases.map { _ in "?" }.joined(separator: ", ")))"
}

extension Schedule {
  var statementArguments: StatementArguments { StatementArguments(ScheduleColumn.allCases.map(value(for:))) }

  private func value(for column: ScheduleColumn) -> (any DatabaseValueConvertible)? {
    switch column {
    case .generation: generation
    case .id: Data(id.bytes)
    case .cron: if case .cron(let expression) = definition.timing { expression.text } else { nil }
    case .every: if case .every(let interval) = definition.timing { interval.text } else { nil }
    case .at: if case .at(let instant) = definition.timing { instant.milliseconds } else { nil }
    case .duration: if case .duration(let duration) = definition.timing { duration.text } else { nil }
    case .tickLimit: definition.limit
    case .timezone: definition.timezone
    case .startDate: definition.startDate?.milliseconds
    case .endDate: definition.endDate?.milliseconds
    case .jitter: definition.jitter?.text
    case .messageID: origin.messageID.map { Data($0) }
    case .traceparent: origin.traceparent.map { Data($0.utf8) }
    case .tracestate: origin.tracestate.map { Data($0.utf8) }
    case .counter: counter
    case .slot: pending?.slot.milliseconds
    case .due: pending?.due.milliseconds
    case .missed: pending?.missed
    case .since: pending?.since?.milliseconds
    case .endedAt: ending?.at.milliseconds
    case .endReason: ending?.reason.map { Data($0.utf8) }
    case .owesStopped: ending?.owesStopped
    case .payload: definition.payload.map { Data($0) }
    case .misfirePolicy: definition.misfirePolicy?.rawValue
    case .catchupWindow: definition.catchupWindow?.text
    case .ifExists: definition.ifExists?.rawValue
    }
  }
}

extension Schedule {
  /// Nil when the row does not make a schedule: what it says was damaged, or this version refuses its expression.
  init?(_ row: Row) {
    guard let generation: Int64 = row[.generation], let id: Data = row[.id], let counter: Int64 = row[.counter],
      let timing = Timing(row), let state = State(row),
      let jitter = row.read(.jitter, { try? DurationExpression($0) }),
      let misfirePolicy = row.read(.misfirePolicy, MisfirePolicy.init),
      let catchupWindow = row.read(.catchupWindow, { try? DurationExpression($0) }),
      let ifExists = row.read(.ifExists, IfExists.init)
    else { return nil }
    self.init(
      definition: Definition(
        id: ScheduleID(stored: Array(id)), timing: timing, limit: row[.tickLimit], timezone: row[.timezone],
        startDate: row.instant(.startDate), endDate: row.instant(.endDate), jitter: jitter,
        misfirePolicy: misfirePolicy, catchupWindow: catchupWindow, ifExists: ifExists, payload: row.bytes(.payload)),
      origin: Origin(
        messageID: row.bytes(.messageID), traceparent: row.text(.traceparent), tracestate: row.text(.tracestate)),
      generation: generation, counter: counter, state: state)
  }
}

extension Timing {
  fileprivate init?(_ row: Row) {
    if let text: String = row[.cron] {
      guard let expression = try? CronExpression(text) else { return nil }
      self = .cron(expression)
    } else if let text: String = row[.every] {
      guard let interval = try? DurationExpression(text) else { return nil }
      self = .every(interval)
    } else if let instant = row.instant(.at) {
      self = .at(instant)
    } else if let text: String = row[.duration] {
      guard let duration = try? DurationExpression(text) else { return nil }
      self = .duration(duration)
    } else {
      return nil
    }
  }
}

extension Schedule.State {
  fileprivate init?(_ row: Row) {
    if let slot = row.instant(.slot), let due = row.instant(.due), let missed: Int = row[.missed] {
      self = .live(Schedule.Pending(slot: slot, due: due, missed: missed, since: row.instant(.since)))
    } else if let at = row.instant(.endedAt), let owesStopped: Bool = row[.owesStopped] {
      self = .ended(Schedule.Ending(reason: row.text(.endReason), at: at, owesStopped: owesStopped))
    } else {
      return nil
    }
  }
}

extension Row {
  /// A value, or nil for NULL. Always asked for as an optional: GRDB traps on a NULL that is not expected.
  subscript<Value: DatabaseValueConvertible & StatementColumnConvertible>(_ column: ScheduleColumn)
    -> Value?
  {
    self[column.rawValue]
  }

  func instant(_ column: ScheduleColumn) -> Instant? {
    self[column].map { Instant(milliseconds: $0) }
  }

  func bytes(_ column: ScheduleColumn) -> [UInt8]? {
    (self[column] as Data?).map { Array($0) }
  }

  /// A value that is written as text: `.some(nil)` where there is none, nil where it cannot be read.
  func read<Value>(_ column: ScheduleColumn, _ value: (String) -> Value?) -> Value?? {
    guard let text: String = self[column] else { return .some(nil) }
    return value(text).map { .some($0) }
  }

  func text(_ column: ScheduleColumn) -> String? {
    (self[column] as Data?).map { String(decoding: $0, as: UTF8.self) }
  }
}
