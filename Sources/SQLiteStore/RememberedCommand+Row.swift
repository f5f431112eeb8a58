import GRDB
import Recurrence
import Scheduling

extension RememberedCommand {
  /// Hands over the values of table `answeredCommand`, in the order of its columns from `key` on.
  func bind(to parameters: inout ParameterValues) {
    parameters.bind(key.bytes)
    parameters.bind(at.milliseconds)
    answer.bind(to: &parameters)
  }

  /// What a command was answered; nil when it is not known, or its row makes no sense.
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
  static let columns = "started, effect, stopped, rejectedField, rejectedReason"

  /// Hands over the values of `columns`.
  func bind(to parameters: inout ParameterValues) {
    switch self {
    case .started(let generation, let effect):
      parameters.bind(generation)
      parameters.bind(effect.rawValue)
    case .stopped(let generation):
      for _ in 0..<2 { parameters.bind(nil as Int64?) }
      parameters.bind(generation)
    case .rejected(let field, let reason):
      for _ in 0..<3 { parameters.bind(nil as Int64?) }
      parameters.bind(Array(field.utf8))
      parameters.bind(Array(reason.utf8))
    }
  }

  /// Reads `columns`, from the given one on; nil when there is no answer, or the row makes no sense.
  init?(_ row: ColumnValues, from first: Int = 1) {
    if let generation = row.integer(first), let number = row.integer(first + 1),
      let effect = Started.Effect(rawValue: Int(clamping: number))
    {
      self = .started(generation: generation, effect: effect)
    } else if let generation = row.integer(first + 2) {
      self = .stopped(generation: generation)
    } else if let field = row.bytes(first + 3), let reason = row.bytes(first + 4) {
      self = .rejected(
        field: String(decoding: field, as: UTF8.self), reason: String(decoding: reason, as: UTF8.self))
    } else {
      return nil
    }
  }
}

extension CommandKey {
  /// The sixteen bytes of the key, as they stand in the database.
  var bytes: [UInt8] {
    withUnsafeBytes(of: (high.bigEndian, low.bigEndian)) { Array($0) }
  }
}
