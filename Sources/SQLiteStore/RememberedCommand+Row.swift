import Foundation
import GRDB
import Recurrence
import Scheduling

extension RememberedCommand {
  /// The values of table `answeredCommand`, in the order of its columns from `key` on.
  var statementArguments: StatementArguments {
    switch answer {
    case .started(let generation, let effect):
      [key.data, at.milliseconds, generation, effect.rawValue, nil, nil, nil]
    case .stopped(let generation):
      [key.data, at.milliseconds, nil, nil, generation, nil, nil]
    case .rejected(let field, let reason):
      [key.data, at.milliseconds, nil, nil, nil, Data(field.utf8), Data(reason.utf8)]
    }
  }

  /// What a command was answered; nil when it is not known, or its row makes no sense.
  static func fetch(_ key: CommandKey, from database: Database) throws -> RememberedCommand? {
    let statement = try database.cachedStatement(
      sql: """
        SELECT answeredAt, started, effect, stopped, rejectedField, rejectedReason FROM answeredCommand WHERE key = ?
        """)
    guard let row = try Row.fetchOne(statement, arguments: [key.data]), let at: Int64 = row[0],
      let answer = Answer(row)
    else { return nil }
    return RememberedCommand(key: key, at: Instant(milliseconds: at), answer: answer)
  }
}

extension RememberedCommand.Answer {
  fileprivate init?(_ row: Row) {
    if let generation: Int64 = row[1], let number: Int = row[2], let effect = Started.Effect(rawValue: number) {
      self = .started(generation: generation, effect: effect)
    } else if let generation: Int64 = row[3] {
      self = .stopped(generation: generation)
    } else if let field: Data = row[4], let reason: Data = row[5] {
      self = .rejected(
        field: String(decoding: field, as: UTF8.self), reason: String(decoding: reason, as: UTF8.self))
    } else {
      return nil
    }
  }
}

extension CommandKey {
  /// The sixteen bytes of the key, as they stand in the database.
  var data: Data {
    withUnsafeBytes(of: (high.bigEndian, low.bigEndian)) { Data($0) }
  }
}
