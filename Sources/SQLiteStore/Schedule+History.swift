import Recurrence
import Scheduling

extension Schedule.Beginning {
  static let columns = "startedAt"

  static func bind(_ beginning: Self?, to parameters: inout ParameterValues) {
    parameters.bind(beginning?.at.milliseconds)
  }
}

extension Schedule.Tally {
  /// Whether it is of a tick that was sent once, confirmed and routed, without missed slots, as nearly all are.
  var isOfUsualTick: Bool { last != nil && missed == 0 && repeats == 0 && refusals == 0 && returns == 0 }

  /// Assignments of the delivery results, for the values that `bindLast` and `bindSums` bind.
  static let lastChange = "lastSlot = ?, lastJitter = ?, lastLateness = ?, lastConfirmation = ?"
  static let everyChange =
    "lastSlot = coalesce(?, lastSlot), lastJitter = coalesce(?, lastJitter), lastLateness = coalesce(?, lastLateness),"
    + " lastConfirmation = coalesce(?, lastConfirmation), missedSlots = missedSlots + ?, repeats = repeats + ?,"
    + " refusals = refusals + ?, returns = returns + ?"

  func bindLast(to parameters: inout ParameterValues) {
    parameters.bind(last?.slot.milliseconds)
    parameters.bind(last?.jitterMilliseconds)
    parameters.bind(last?.latenessMilliseconds)
    parameters.bind(last?.confirmationMilliseconds)
  }

  func bindSums(to parameters: inout ParameterValues) {
    for sum in [missed, repeats, refusals, returns] { parameters.bind(sum) }
  }
}

extension Schedule.History {
  static let columns =
    "\(Schedule.Beginning.columns), missedSlots, repeats, refusals, returns, lastSlot, lastLateness, lastConfirmation,"
    + " lastJitter"

  /// Reads a row of `columns`.
  init(_ row: ColumnValues) {
    self.init()
    if let at = row.integer(0) { beginning = Schedule.Beginning(at: Instant(milliseconds: at)) }
    let sums = (1...4).map { Int(clamping: row.integer($0) ?? 0) }
    tally = Schedule.Tally(missed: sums[0], repeats: sums[1], refusals: sums[2], returns: sums[3])
    if let slot = row.integer(5), let lateness = row.integer(6), let confirmation = row.integer(7) {
      tally.last = Schedule.Tally.Last(
        slot: Instant(milliseconds: slot), jitterMilliseconds: row.integer(8) ?? 0, latenessMilliseconds: lateness,
        confirmationMilliseconds: confirmation)
    }
  }
}
