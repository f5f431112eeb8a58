package import Recurrence
package import Scheduling

/// A store in memory, for tests and simulations: the simplest implementation of `ScheduleStore`.
///
/// It keeps its state as long as it lives: to simulate a restart, pass the same store to the next engine.
package final class MemoryStore: ScheduleStore, ScheduleQueries {
  /// While set, every call throws it and changes nothing: a full disk, for example.
  package var fault: StoreError?

  private var persistentState: PersistentState
  private var schedules: [Int64: Schedule] = [:]
  private var histories: [Int64: Schedule.History] = [:]
  private var generations: [ScheduleID: Int64] = [:]
  private var ids = SortedArray<ScheduleID>()
  private var liveByDue = SortedArray<DuePosition>()
  /// Schedules that owe an event; ended ones, and those of them that owe nothing, by the instant of their end.
  private var owing = SortedArray<Int64>()
  private var ended = SortedArray<EndPosition>()
  private var settled = SortedArray<EndPosition>()
  private var pausedCount = 0
  private var commands: [CommandKey: (sequence: Int, command: RememberedCommand)] = [:]
  /// The keys of `commands`, oldest first.
  private var answered = SortedArray<CommandPosition>()
  private var lastSequence = 0
  private var inbox = MemoryInbox()
  private var batches = MemoryBatches()

  package init(secret: SipHash.Key = SipHash.Key(1, 2), rulesVersion: Int64 = CronExpression.rulesVersion) {
    persistentState = PersistentState(
      lastGeneration: 0, inDoubtThrough: Instant(milliseconds: .min), secret: secret, rulesVersion: rulesVersion)
  }

  package func load() throws(StoreError) -> PersistentState {
    try checkFault()
    return persistentState
  }

  package func schedules(_ ids: [ScheduleID]) throws(StoreError) -> [Schedule?] {
    try checkFault()
    return ids.map { id in generations[id].flatMap { schedules[$0] } }
  }

  package func remembered(_ keys: [CommandKey]) throws(StoreError) -> [RememberedCommand?] {
    try checkFault()
    return keys.map { commands[$0]?.command }
  }

  package func due(after position: DuePosition?, through end: DuePosition, limit: Int) throws(StoreError) -> DuePage {
    try checkFault()
    var page = DuePage(schedules: [], isLast: true)
    var payloadBytes = 0
    for position in liveByDue.elements(after: position) where position <= end {
      guard page.schedules.count < limit, payloadBytes < DuePage.maximumPayloadBytes else {
        page.isLast = false
        break
      }
      guard let schedule = schedules[position.generation] else { continue }
      page.schedules.append(schedule)
      payloadBytes += schedule.definition.payload?.count ?? 0
    }
    return page
  }

  package func followingZones(after position: DuePosition?, limit: Int) throws(StoreError) -> [Schedule] {
    try checkFault()
    let live = liveByDue.elements(after: position).lazy.compactMap { [schedules] in schedules[$0.generation] }
    return Array(live.filter { $0.nextTick?.since != nil }.prefix(limit))
  }

  package func owing(after generation: Int64, limit: Int) throws(StoreError) -> [Schedule] {
    try checkFault()
    return owing.elements(after: generation).prefix(limit).compactMap { schedules[$0] }
  }

  package func page(after id: ScheduleID?, limit: Int) throws(StoreError) -> [Schedule] {
    try checkFault()
    return ids.elements(after: id).prefix(limit).compactMap { id in generations[id].flatMap { schedules[$0] } }
  }

  package func history(of id: ScheduleID) throws(StoreError) -> Schedule.History? {
    try checkFault()
    return generations[id].flatMap { histories[$0] }
  }

  package func counts() throws(StoreError) -> ScheduleCounts {
    try checkFault()
    return ScheduleCounts(live: liveByDue.elements.count, ended: ended.elements.count, paused: pausedCount)
  }

  package func listed(_ walk: ListWalk, limit: Int) throws(StoreError) -> [Schedule] {
    try checkFault()
    let found: [Int64] =
      switch walk {
      case .id(let first): generations(from: first, limit: limit) { _ in true }
      case .group(let name, let first):
        generations(from: first, limit: limit) { $0.definition.group?.utf8.elementsEqual(name) == true }
      case .paused(let first): generations(from: first, limit: limit) { $0.isPaused }
      case .due(let position): liveInOrder(after: position).prefix(limit).map(\.generation)
      case .end(let position): endedLatestFirst(before: position).prefix(limit).map(\.generation)
      }
    return found.compactMap { schedules[$0]?.asListed }
  }

  /// In order of id.
  private func generations(from first: [UInt8], limit: Int, where matches: (Schedule) -> Bool) -> [Int64] {
    let walk = ids.elements(from: ScheduleID(stored: first)).compactMap { self.generations[$0] }
    return Array(walk.filter { schedules[$0].map(matches) == true }.prefix(limit))
  }

  /// The live schedules of both outlets by due time. A position in this list has no outlet.
  private func liveInOrder(after position: DuePosition?) -> [DuePosition] {
    liveByDue.elements.map { DuePosition.listed(due: $0.due, generation: $0.generation) }.sorted()
      .filter { live in position.map { live > $0 } ?? true }
  }

  private func endedLatestFirst(before position: EndPosition?) -> [EndPosition] {
    ended.elements.filter { ended in position.map { ended < $0 } ?? true }.reversed()
  }

  package func dueCount(through: Instant, upTo bound: Int) throws(StoreError) -> (count: Int, isAll: Bool) {
    try checkFault()
    let count = liveByDue.elements.count { $0.due <= through }
    return (min(count, bound), count <= bound)
  }

  package func takeInbox(after position: InboxPosition?, limit: Int) throws(StoreError) -> InboxPage {
    try checkFault()
    return inbox.take(after: position, limit: limit)
  }

  package func countTries(of positions: [InboxPosition], passedOver: [InboxPosition]) throws(StoreError) {
    try checkFault()
    inbox.countTries(of: positions, passedOver: passedOver)
  }

  package func batches(after member: BatchMember?, limit: Int) throws(StoreError) -> BatchPage {
    try checkFault()
    return batches.page(after: member, limit: limit)
  }

  private func checkFault() throws(StoreError) {
    if let fault { throw fault }
  }
}

// MARK: - Changes

extension MemoryStore {
  package func apply(_ changes: [Change]) throws(StoreError) {
    try checkFault()
    try checkGenerations(of: changes)  // the one thing that can be refused, so that all or nothing is done
    for change in changes { apply(change) }
  }

  private func checkGenerations(of changes: [Change]) throws(StoreError) {
    var last = persistentState.lastGeneration
    for case .start(let schedule, _) in changes {
      guard schedule.generation > last else {
        throw StoreError(.other, "Generation \(schedule.generation) is not above \(last), the last one given.")
      }
      last = schedule.generation
    }
  }

  private func apply(_ change: Change) {
    switch change {
    case .start(let schedule, let beginning):
      if let generation = generations[schedule.id] { replace(generation, by: nil) }
      replace(schedule.generation, by: schedule)
      histories[schedule.generation] = Schedule.History(beginning: beginning)
      persistentState.lastGeneration = schedule.generation
    case .advance(let key, let slot, let progress, let tally, _):
      guard var schedule = schedules[key.generation], schedule.nextTick?.slot == slot else { return }
      schedule.progress = progress
      if progress.state.ending?.needsPayloadNoMore == true { schedule.definition.payload = nil }
      replace(key.generation, by: schedule)
      histories[key.generation]?.tally += tally
    case .revise(let revised, let slot, let isRedefined, let tally):
      guard let schedule = schedules[revised.generation], schedule.nextTick?.slot == slot else { return }
      var stored = revised
      if !isRedefined { stored.definition = schedule.definition }
      (stored.origin, stored.declaration) = (schedule.origin, isRedefined ? revised.declaration : schedule.declaration)
      if stored.ending?.needsPayloadNoMore == true { stored.definition.payload = nil }
      replace(revised.generation, by: stored)
      histories[revised.generation]?.tally += tally
    case .announced(let generation, let owed):
      guard var schedule = schedules[generation] else { return }
      schedule.settle(owed)
      replace(generation, by: schedule)
    case .declare(let key, let declaration):
      guard var schedule = schedules[key.generation] else { return }
      schedule.declare(declaration)
      replace(key.generation, by: schedule)
    case .followRules(let version):
      persistentState.rulesVersion = version
    case .remember(let command):
      forget(command.key)
      lastSequence += 1
      commands[command.key] = (lastSequence, command)
      answered.insert(CommandPosition(sequence: lastSequence, key: command.key))
    case .markInDoubt(let through):
      persistentState.inDoubtThrough = through
    case .inbox(let change):
      inbox.apply(change)
      persistentState.inboxBatch = inbox.lastComplete
    case .batch(let change): batches.apply(change)
    }
  }

  /// Replaces or removes the schedule of this generation. The only way to change one, so that the indexes always match.
  private func replace(_ generation: Int64, by new: Schedule?) {
    if let old = schedules.removeValue(forKey: generation) {
      generations[old.id] = nil
      if new == nil { histories[generation] = nil }
      ids.remove(old.id)
      switch old.state {
      case .live: if let position = old.position { liveByDue.remove(position) }
      case .ended(let ending):
        ended.remove(EndPosition(at: ending.at, generation: generation))
        if old.owed.isEmpty { settled.remove(EndPosition(at: ending.at, generation: generation)) }
      }
      if !old.owed.isEmpty { owing.remove(generation) }
      if old.isPaused { pausedCount -= 1 }
    }
    guard let new else { return }
    schedules[generation] = new
    generations[new.id] = generation
    ids.insert(new.id)
    switch new.state {
    case .live: if let position = new.position { liveByDue.insert(position) }
    case .ended(let ending):
      ended.insert(EndPosition(at: ending.at, generation: generation))
      if new.owed.isEmpty { settled.insert(EndPosition(at: ending.at, generation: generation)) }
    }
    if !new.owed.isEmpty { owing.insert(generation) }
    if new.isPaused { pausedCount += 1 }
  }

  private func forget(_ key: CommandKey) {
    guard let (sequence, _) = commands.removeValue(forKey: key) else { return }
    answered.remove(CommandPosition(sequence: sequence, key: key))
  }
}

// MARK: - Retention

extension MemoryStore {
  package func sweep(_ retention: Retention, limit: Int) throws(StoreError) -> Int {
    try checkFault()
    let expired = settled.elements.filter { isExpired($0, retention) }
    let surplus = settled.elements.filter { !isExpired($0, retention) }.dropLast(retention.maximumEnded)
    let ended = (expired + surplus).prefix(limit)
    for position in ended { replace(position.generation, by: nil) }

    // Oldest first, up to the first that is kept: after a backward step of the clock some are kept longer.
    let oldCommands = answered.elements.prefix { position in
      position.sequence <= lastSequence - retention.maximumCommands
        || commands[position.key].map { $0.command.at < retention.answeredBefore } ?? true
    }.prefix(limit - ended.count)
    for position in oldCommands { forget(position.key) }
    return ended.count + oldCommands.count
  }

  private func isExpired(_ position: EndPosition, _ retention: Retention) -> Bool {
    guard let kind = schedules[position.generation]?.ending?.kind else { return false }
    return position.at < retention.bound(of: kind)
  }
}

extension Retention {
  fileprivate func bound(of kind: Schedule.Ending.Kind) -> Instant {
    switch kind {
    case .stopped, .finished: endedBefore
    case .fired: firedBefore
    case .lasting: lastingBefore
    }
  }
}

/// A place in the order in which commands were answered.
private struct CommandPosition: Comparable {
  var sequence: Int
  var key: CommandKey

  static func < (left: CommandPosition, right: CommandPosition) -> Bool { left.sequence < right.sequence }
}
