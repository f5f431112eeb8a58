import GRDB
import Recurrence
import Scheduling

extension RememberedCommand {
  /// Binds the columns of table `answeredCommand`, beginning with `key`.
  func bind(to parameters: inout ParameterValues) {
    parameters.bind(key.bytes)
    parameters.bind(at.milliseconds)
    answer.bind(to: &parameters)
  }

  /// The remembered command with a key; nil if there is none, or its row is invalid.
  static func fetch(_ key: CommandKey, from database: Database) throws -> RememberedCommand? {
    var command: RememberedCommand?
    _ = try database.forEachRow(
      "SELECT answeredAt, \(Answer.columns) FROM answeredCommand WHERE key = ?",
      { $0.bind(key.bytes) }
    ) { row in
      guard let at = row.integer(0), let answer = Answer(row) else { return true }
      command = RememberedCommand(key: key, at: Instant(milliseconds: at), answer: answer)
      return true
    }
    return command
  }
}

extension RememberedCommand.Answer {
  static let columns = "started, effect, stopped, rejectedField, rejectedReason, controlled, matched, changed"

  /// Binds the values of `columns`.
  func bind(to parameters: inout ParameterValues) {
    switch self {
    case .started(let generation, let effect):
      parameters.bind(generation)
      parameters.bind(effect.rawValue)
      parameters.bindNulls(6)
    case .stopped(let generation):
      parameters.bindNulls(2)
      parameters.bind(generation)
      parameters.bindNulls(5)
    case .rejected(let field, let reason, let isOfState):
      parameters.bind(nil as Int64?)
      parameters.bind(isOfState)
      parameters.bind(nil as Int64?)
      parameters.bind(text: field)
      parameters.bind(text: reason)
      parameters.bindNulls(3)
    case .controlled(let generation):
      parameters.bindNulls(5)
      parameters.bind(generation)
      parameters.bindNulls(2)
    case .batch(let counts):
      parameters.bindNulls(6)
      parameters.bind(counts.matched)
      parameters.bind(counts.changed)
    }
  }

  /// Reads `columns`, beginning with the given one; nil if there is no outcome, or the row is invalid.
  init?(_ row: ColumnValues, from first: Int = 1) {
    if let generation = row.integer(first), let number = row.integer(first + 1),
      let effect = Started.Effect(rawValue: Int(clamping: number))
    {
      self = .started(generation: generation, effect: effect)
    } else if let generation = row.integer(first + 2) {
      self = .stopped(generation: generation)
    } else if let field = row.freeText(first + 3), let reason = row.freeText(first + 4) {
      // Versions 1 to 4 have no effect here: these two fields depended on the state.
      let isOfState = row.integer(first + 1).map { $0 == 1 } ?? ["id", "ifExists"].contains(field)
      self = .rejected(field: field, reason: reason, isOfState: isOfState)
    } else if let generation = row.integer(first + 5) {
      self = .controlled(generation: generation)
    } else if let matched = row.integer(first + 6), let changed = row.integer(first + 7) {
      self = .batch(BatchCounts(matched: Int(clamping: matched), changed: Int(clamping: changed)))
    } else {
      return nil
    }
  }
}

extension CommandKey {
  /// The 16 bytes of the key, as stored.
  var bytes: [UInt8] {
    withUnsafeBytes(of: (high.bigEndian, low.bigEndian)) { Array($0) }
  }
}
