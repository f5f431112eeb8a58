import GRDB
import Recurrence
import Scheduling

/// A row of table `control`: what few schedules have, apart from the rows that every tick reads. A schedule without any of
/// it has no row.
enum ControlRow {
  /// Bound and read in this order, after the generation.
  private static let columns = "\(columnsBeforePayload), triggeredPayload"
  private static let columnsBeforePayload = """
    id, groupName, tags, description, revision, pausedSince, pausedUntil, pauseReason, isSlotInDoubt, followingSlot,
    catchUpThrough, catchUpPolicy, resumedRevision, resumedCounter, resumedNext, resumedMissed, lastTrigger, triggeredAt,
    triggeredCounter, triggeredNext, triggeredMessageID, owes, target
    """
  static let insert = """
    INSERT OR REPLACE INTO control (generation, \(columns))
    VALUES (\(Array(repeating: "?", count: 1 + columns.split(separator: ",").count).joined(separator: ", ")))
    """
  static let settleResumed = """
    UPDATE control SET resumedRevision = NULL, resumedCounter = NULL, resumedNext = NULL, resumedMissed = NULL,
      owes = CASE WHEN triggeredAt IS NULL THEN NULL ELSE 1 END
    WHERE generation = ?
    """
  static let settleTriggered = """
    UPDATE control SET triggeredAt = NULL, triggeredCounter = NULL, triggeredNext = NULL, triggeredMessageID = NULL,
      triggeredPayload = NULL, owes = CASE WHEN resumedRevision IS NULL THEN NULL ELSE 1 END
    WHERE generation = ?
    """
  static let delete = "DELETE FROM control WHERE generation = ?"
  private static let byGeneration = "SELECT \(columns) FROM control WHERE generation = ?"
  private static let listed = "SELECT \(columnsBeforePayload), NULL FROM control WHERE generation = ?"

  static func isNeeded(by schedule: Schedule) -> Bool { !schedule.hasPlainControl || schedule.definition.hasExtras }

  static func bind(_ schedule: Schedule, to parameters: inout ParameterValues) {
    let (definition, control) = (schedule.definition, schedule.control)
    parameters.bind(schedule.generation)
    parameters.bind(schedule.id.bytes)
    parameters.bind(text: definition.group)
    parameters.bind(definition.tags.map(packed))
    parameters.bind(text: definition.description)
    parameters.bind(control.revision)
    parameters.bind(control.pause?.since.milliseconds)
    parameters.bind(control.pause?.until?.milliseconds)
    parameters.bind(text: control.pause?.reason)
    parameters.bind(control.isSlotInDoubt ? true : nil)
    parameters.bind(control.followingSlot?.milliseconds)
    parameters.bind(control.catchUp?.through.milliseconds)
    parameters.bind(control.catchUp?.policy.rawValue)
    let resumed = control.owedResumed
    parameters.bind(resumed?.revision)
    parameters.bind(resumed?.counter)
    parameters.bind(resumed?.nextSlot?.milliseconds)
    parameters.bind(resumed?.missed)
    parameters.bind(control.lastTrigger?.milliseconds)
    let trigger = control.owedTick
    parameters.bind(trigger?.instant.milliseconds)
    parameters.bind(trigger?.counter)
    parameters.bind(trigger?.nextSlot?.milliseconds)
    parameters.bind(trigger?.messageID)
    parameters.bind(resumed != nil || trigger != nil ? true : nil)
    parameters.bind(definition.target?.packed)
    parameters.bind(trigger?.payload)
  }

  /// Completes a schedule with its row, if it has one. Returns false for an invalid row.
  ///
  /// - Parameter withPayload: Whether to read the payload of a triggered tick, which may be long.
  static func complete(_ schedule: inout Schedule, withPayload: Bool, from database: Database) throws -> Bool {
    var isValid = true
    var completed = schedule
    _ = try database.forEachRow(withPayload ? byGeneration : listed, { $0.bind(schedule.generation) }) { row in
      isValid = read(row, into: &completed)
      return true
    }
    schedule = completed
    return isValid
  }

  private static func read(_ row: ColumnValues, into schedule: inout Schedule) -> Bool {
    guard let revision = row.integer(4) else { return false }
    schedule.definition.group = row.freeText(1)
    schedule.definition.tags = row.bytes(2).map(unpacked)
    schedule.definition.description = row.freeText(3)
    if let packed = row.bytes(22) {
      guard let target = Target(packed: packed) else { return false }
      schedule.definition.target = target
    }
    var control = Schedule.Control()
    control.revision = revision
    control.pause = row.instant(5).map {
      Schedule.Pause(since: $0, until: row.instant(6), reason: row.freeText(7))
    }
    control.isSlotInDoubt = row.integer(8) == 1
    control.followingSlot = row.instant(9)
    if let through = row.instant(10) {
      guard let policy = row.text(11).flatMap(MisfirePolicy.init) else { return false }
      control.catchUp = Schedule.CatchUp(through: through, policy: policy)
    }
    if let revision = row.integer(12) {
      control.owedResumed = Schedule.Resumption(
        revision: revision, counter: row.integer(13) ?? 0, nextSlot: row.instant(14),
        missed: Int(clamping: row.integer(15) ?? 0))
    }
    control.lastTrigger = row.instant(16)
    if let instant = row.instant(17) {
      control.owedTick = Schedule.Trigger(
        instant: instant, counter: row.integer(18) ?? 0, nextSlot: row.instant(19), payload: row.bytes(23),
        messageID: row.bytes(20))
    }
    schedule.control = control
    return true
  }

  /// Each tag with its length before it, which is at most 64 bytes.
  private static func packed(_ tags: [String]) -> [UInt8] {
    tags.flatMap { tag in [UInt8(clamping: tag.utf8.count)] + Array(tag.utf8).prefix(255) }
  }

  private static func unpacked(_ bytes: [UInt8]) -> [String] {
    var tags: [String] = []
    var rest = bytes[...]
    while let length = rest.popFirst() {
      tags.append(String(decoding: rest.prefix(Int(length)), as: UTF8.self))
      rest = rest.dropFirst(Int(length))
    }
    return tags
  }
}
