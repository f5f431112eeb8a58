import Recurrence
import Scheduling

/// What is kept of a schedule: first the columns of table `schedule`, then those of table `progress`, each in the order in
/// which every statement lists them.
enum ScheduleColumn: Int, CaseIterable {
  case generation, place, id
  case cron, every, at, duration, tickLimit, timezone, startDate, endDate, jitter
  case misfirePolicy, catchupWindow, ifExists
  case messageID, traceparent, tracestate
  case payload
  case startDigest, isLasting
  // From here on of table progress, beside its key.
  case counter
  case slot, due, missed, since
  case endedAt, endReason, owesStopped, endKind

  /// Written once.
  static let definition = allCases.filter { $0.rawValue < counter.rawValue }
  /// Of these what people's lists do without: to reach it a long payload is read.
  static let unlisted = [payload, startDigest, isLasting]
  /// Written with every tick: all, and those that a schedule has while it is live, and when it ended.
  static let progress = allCases.filter { $0.rawValue >= counter.rawValue }
  static let live = progress.filter { $0.rawValue < endedAt.rawValue }
  static let ended = [counter, endedAt, endReason, owesStopped, endKind]

  static func names(_ columns: [ScheduleColumn], of table: String? = nil) -> String {
    columns.map { column in table.map { "\($0).\(column)" } ?? "\(column)" }.joined(separator: ", ")
  }
}

extension Schedule {
  /// Hands over the values of the columns of table `schedule`, in their order.
  func bindDefinition(to parameters: inout ParameterValues) {
    for column in ScheduleColumn.definition { bind(column, to: &parameters) }
  }

  private func bind(_ column: ScheduleColumn, to parameters: inout ParameterValues) {
    switch column {
    case .generation: parameters.bind(generation)
    case .place: parameters.bind(key.place)
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

extension Schedule.Progress {
  /// Hands over the values of columns of table `progress`, in their order.
  func bind(_ columns: [ScheduleColumn], to parameters: inout ParameterValues) {
    for column in columns { bind(column, to: &parameters) }
  }

  private func bind(_ column: ScheduleColumn, to parameters: inout ParameterValues) {
    switch column {
    case .counter: parameters.bind(counter)
    case .slot: parameters.bind(state.nextTick?.slot.milliseconds)
    case .due: parameters.bind(state.nextTick?.due.milliseconds)
    case .missed: parameters.bind(state.nextTick?.missed)
    case .since: parameters.bind(state.nextTick?.since?.milliseconds)
    case .endedAt: parameters.bind(state.ending?.at.milliseconds)
    case .endReason: parameters.bind(state.ending?.reason.map { Array($0.utf8) })
    case .owesStopped: parameters.bind(state.ending?.owesStopped)
    case .endKind: parameters.bind(state.ending?.kind.rawValue)
    case .generation, .place, .id, .cron, .every, .at, .duration, .tickLimit, .timezone, .startDate, .endDate, .jitter,
      .misfirePolicy, .catchupWindow, .ifExists, .messageID, .traceparent, .tracestate, .payload, .startDigest,
      .isLasting:
      break  // of table schedule
    }
  }
}

extension DefinitionDigest {
  /// The sixteen bytes that are stored.
  var bytes: [UInt8] { withUnsafeBytes(of: (high.bigEndian, low.bigEndian)) { Array($0) } }

  /// Nil when these are not sixteen.
  init?(bytes: [UInt8]) {
    guard bytes.count == 16 else { return nil }
    func word(_ bytes: ArraySlice<UInt8>) -> UInt64 { bytes.reduce(0) { $0 << 8 | UInt64($1) } }
    self.init(high: word(bytes[..<8]), low: word(bytes[8...]))
  }
}
