import GRDB
import Recurrence
package import Scheduling

extension SQLiteStore {
  package func apply(_ changes: [Change]) throws(StoreError) {
    try write { database in
      try database.recordGenerations(of: changes)
      let statements = try ChangeStatements(database)
      var counts = ScheduleCounts()
      for change in changes {
        switch change {
        case .start(let schedule, let beginning):
          try statements.start(schedule, beginning)
          if schedule.nextTick == nil { counts.ended += 1 } else { counts.live += 1 }
        case .advance(let key, let slot, let progress, let tally, let outlet):
          let isAdvanced = try statements.advance(key, from: slot, to: progress, adding: tally, on: outlet)
          if isAdvanced, case .ended = progress.state {
            counts.live -= 1
            counts.ended += 1
          }
        case .revise(let schedule, let slot, let isRedefined, let tally):
          let isRevised = try statements.revise(schedule, from: slot, isRedefined: isRedefined, adding: tally)
          if isRevised, !schedule.isLive {
            counts.live -= 1
            counts.ended += 1
          }
        case .announced(let generation, let owed):
          try statements.announced(generation, owed)
        case .declare(let key, let declaration):
          try database.declare(key, declaration)
        case .followRules(let version):
          try database.run("UPDATE recollection SET rulesVersion = ?") { $0.bind(version) }
        case .remember(let command):
          try statements.remember(command)
        case .markInDoubt(let through):
          try database.run("UPDATE recollection SET inDoubtThrough = ?") { $0.bind(through.milliseconds) }
        case .inbox(let change):
          try database.apply(change)
        case .batch(let change):
          try statements.apply(change)
        }
      }
      try database.add(counts)
    }
  }
}

extension Database {
  fileprivate func declare(_ key: Schedule.Key, _ declaration: Schedule.Declaration) throws {
    try run("UPDATE schedule SET startDigest = ?, isLasting = ? WHERE generation = ?") {
      $0.bind(declaration.digest?.bytes)
      $0.bind(declaration.isLasting ? true : nil)
      $0.bind(key.generation)
    }
    guard declaration.isLasting else { return }
    try run("UPDATE progress SET endKind = ? WHERE place = ? AND endKind <> ?") {
      $0.bind(Schedule.Ending.Kind.lasting.rawValue)
      $0.bind(key.rowKey)
      $0.bind(Schedule.Ending.Kind.stopped.rawValue)
    }
  }

  /// Raises the stored last generation to that of the last Start. Generations must be ascending.
  fileprivate func recordGenerations(of changes: [Change]) throws {
    var first: Int64?
    var last: Int64?
    for case .start(let schedule, _) in changes {
      guard last.map({ $0 < schedule.generation }) ?? true else { throw Self.staleGeneration(schedule.generation) }
      first = first ?? schedule.generation
      last = schedule.generation
    }
    guard let first, let last else { return }
    let raised = try run("UPDATE recollection SET lastGeneration = ? WHERE lastGeneration < ?") {
      $0.bind(last)
      $0.bind(first)
    }
    guard raised == 1 else { throw Self.staleGeneration(first) }
  }

  private static func staleGeneration(_ generation: Int64) -> StoreError {
    StoreError(.other, "Generation \(generation) is not above the last one used.")
  }

  /// Updates the stored counts with the started and ended schedules of a transaction. Triggers count removed ones.
  fileprivate func add(_ counts: ScheduleCounts) throws {
    guard counts != ScheduleCounts() else { return }
    let changed = try run("UPDATE recollection SET live = live + ?, ended = ended + ?") {
      $0.bind(counts.live)
      $0.bind(counts.ended)
    }
    assert(changed == 1, "the database has no row of counts")
    assert(areStoredCountsValid, "a stored count of schedules is negative")
  }

  /// For assertions.
  private var areStoredCountsValid: Bool {
    var isValid = false
    _ = try? forEachRow("SELECT live, ended FROM recollection") { row in
      isValid = (row.integer(0) ?? -1) >= 0 && (row.integer(1) ?? -1) >= 0
      return true
    }
    return isValid
  }
}
