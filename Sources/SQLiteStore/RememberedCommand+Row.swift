import GRDB
import Recurrence
import Scheduling

extension RememberedCommand {
  /// Hands over the values of table `answeredCommand`, in the order of its columns from `key` on.
  func bind(to parameters: inout ParameterValues) {
    parameters.bind(key.bytes)
    parameters.bind(at.milliseconds)
    switch answer {
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

  /// What a command was answered; nil when it is not known, or its row makes no sense.
  static func fetch(_ key: CommandKey, from database: Database) throws -> RememberedCommand? {
    var command: RememberedCommand?
    _ = try database.forEachRow(
      "SELECT answeredAt, started, effect, stopped, rejectedField, rejectedReason FROM answeredCommand WHERE key = ?",
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
  fileprivate init?(_ row: ColumnValues) {
    if let generation = row.integer(1), let number = row.integer(2),
      let effect = Started.Effect(rawValue: Int(clamping: number))
    {
      self = .started(generation: generation, effect: effect)
    } else if let generation = row.integer(3) {
      self = .stopped(generation: generation)
    } else if let field = row.bytes(4), let reason = row.bytes(5) {
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
