import Recurrence
import Scheduling

/// The columns of a schedule, in the order in which statements list them: those of table `schedule`, then those of table
/// `progress`.
enum ScheduleColumn: Int, CaseIterable {
  case generation, rowKey, id
  case cron, every, at, duration, tickLimit, timezone, startDate, endDate, jitter
  case misfirePolicy, catchupWindow, ifExists
  case messageID, userID, traceparent, tracestate
  case payload
  case startDigest, isLasting
  // Columns of table progress, without its key.
  case counter
  case slot, due, missed, since
  case endedAt, endReason, owesStopped, endKind

  /// Written by a Start.
  static let definition = allCases.filter { $0.rawValue < counter.rawValue }
  /// Changed by an Update.
  static let redefined = definition.filter {
    ![generation, rowKey, id, messageID, userID, traceparent, tracestate].contains($0)
  }
  /// After all columns: whether the schedule has a row in table `control`.
  static let hasControl = allCases.count
  /// The columns that lists omit: reading them would require reading a long payload.
  static let unlisted = [payload, startDigest, isLasting]
  /// Written with every tick: all of them, those of a live schedule, and those of an ended one.
  static let progress = allCases.filter { $0.rawValue >= counter.rawValue }
  static let live = progress.filter { $0.rawValue < endedAt.rawValue }
  static let ended = [counter, endedAt, endReason, owesStopped, endKind]

  /// The name in the database.
  var name: String { self == .rowKey ? "place" : "\(self)" }

  static func names(_ columns: [ScheduleColumn], of table: String? = nil) -> String {
    columns.map { column in table.map { "\($0).\(column.name)" } ?? column.name }.joined(separator: ", ")
  }
}

extension Schedule {
  /// Binds the columns of table `schedule`, in their order.
  func bindDefinition(to parameters: inout ParameterValues) {
    for column in ScheduleColumn.definition { bind(column, to: &parameters) }
  }

  /// Binds the columns that an Update changes, in their order.
  func bindRedefinition(to parameters: inout ParameterValues) {
    for column in ScheduleColumn.redefined { bind(column, to: &parameters) }
  }

  private func bind(_ column: ScheduleColumn, to parameters: inout ParameterValues) {
    switch column {
    case .generation: parameters.bind(generation)
    case .rowKey: parameters.bind(key.rowKey)
    case .id: parameters.bind(id.bytes)
    case .cron, .every, .at, .duration: definition.timing.bind(column, to: &parameters)
    case .tickLimit: parameters.bind(definition.limit)
    case .timezone: parameters.bind(definition.timezone)
    case .startDate: parameters.bind(definition.startDate?.milliseconds)
    case .endDate: parameters.bind(definition.endDate?.milliseconds)
    case .jitter: parameters.bind(definition.jitter?.text)
    case .misfirePolicy: parameters.bind(definition.misfirePolicy?.rawValue)
    case .catchupWindow: parameters.bind(definition.catchupWindow?.text)
    case .ifExists: parameters.bind(definition.ifExists?.rawValue)
    case .messageID: parameters.bind(origin.messageID)
    case .userID: parameters.bind(text: origin.userID)
    case .traceparent: parameters.bind(origin.traceparent.map { Array($0.utf8) })
    case .tracestate: parameters.bind(origin.tracestate.map { Array($0.utf8) })
    case .payload: parameters.bind(definition.payload)
    case .startDigest: parameters.bind(declaration.digest?.bytes)
    case .isLasting: parameters.bind(declaration.isLasting ? true : nil)
    case .counter, .slot, .due, .missed, .since, .endedAt, .endReason, .owesStopped, .endKind:
      break  // of table progress
    }
  }
}

extension Timing {
  /// Binds one of the four timing columns, of which all but one are NULL.
  fileprivate func bind(_ column: ScheduleColumn, to parameters: inout ParameterValues) {
    switch (self, column) {
    case (.cron(let expression), .cron): parameters.bind(expression.text)
    case (.every(let length), .every), (.duration(let length), .duration): parameters.bind(length.text)
    case (.at(let instant), .at): parameters.bind(instant.milliseconds)
    default: parameters.bind(nil as Int64?)
    }
  }
}

extension Schedule.Progress {
  /// Binds columns of table `progress`, in their order.
  ///
  /// - Parameter outlet: Where the schedule's ticks leave.
  func bind(_ columns: [ScheduleColumn], of outlet: Outlet, to parameters: inout ParameterValues) {
    for column in columns { bind(column, of: outlet, to: &parameters) }
  }

  private func bind(_ column: ScheduleColumn, of outlet: Outlet, to parameters: inout ParameterValues) {
    switch column {
    case .counter: parameters.bind(counter)
    case .slot: parameters.bind(state.nextTick?.slot.milliseconds)
    case .due: parameters.bind(state.nextTick.map { DuePosition.rank(of: $0.due, outlet) })
    case .missed: parameters.bind(state.nextTick?.missed)
    case .since: parameters.bind(state.nextTick?.since?.milliseconds)
    case .endedAt: parameters.bind(state.ending?.at.milliseconds)
    case .endReason: parameters.bind(state.ending?.reason.map { Array($0.utf8) })
    case .owesStopped: parameters.bind(state.ending?.owesStopped)
    case .endKind: parameters.bind(state.ending?.kind.rawValue)
    case .generation, .rowKey, .id, .cron, .every, .at, .duration, .tickLimit, .timezone, .startDate, .endDate, .jitter,
      .misfirePolicy, .catchupWindow, .ifExists, .messageID, .userID, .traceparent, .tracestate, .payload,
      .startDigest, .isLasting:
      break  // of table schedule
    }
  }
}

extension DefinitionDigest {
  /// The 16 bytes as stored.
  var bytes: [UInt8] { withUnsafeBytes(of: (high.bigEndian, low.bigEndian)) { Array($0) } }

  /// Nil unless there are 16 bytes.
  init?(bytes: [UInt8]) {
    guard bytes.count == 16 else { return nil }
    func word(_ bytes: ArraySlice<UInt8>) -> UInt64 { bytes.reduce(0) { $0 << 8 | UInt64($1) } }
    self.init(high: word(bytes[..<8]), low: word(bytes[8...]))
  }
}
