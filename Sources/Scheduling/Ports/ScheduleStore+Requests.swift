extension ScheduleStore {
  /// By default a store is intact: one in memory cannot be removed while its process runs.
  package func checkIntact() throws(StoreError) {}

}

extension ScheduleStore where Self: ScheduleQueries {
  /// Performs a request of the engine.
  ///
  /// - Parameter isOver: Whether the time for reading a page of a listing is over.
  package func answer(
    _ request: Engine.StoreRequest, readingIsOver isOver: () -> Bool = { false }
  ) -> Engine.StoreAnswer {
    do throws(StoreError) {
      switch request {
      case .lookUp(let ids, let keys, let tried, let passedOver):
        if !(tried.isEmpty && passedOver.isEmpty) { try countTries(of: tried, passedOver: passedOver) }
        return .lookedUp(try schedules(ids), try remembered(keys))
      case .inbox(let position, let limit):
        return .inbox(try takeInbox(after: position, limit: limit))
      case .due(let position, let through, let limit):
        return .due(try due(after: position, through: through, limit: limit))
      case .owed(let generation, let limit): return .owed(try owing(after: generation, limit: limit))
      case .followingZones(let position, let limit):
        return .followingZones(try followingZones(after: position, limit: limit))
      case .batches(let member, let limit): return .batches(try batches(after: member, limit: limit))
      case .apply(let changes):
        try apply(changes)
        return .applied
      case .sweep(let retention, let limit): return .swept(try sweep(retention, limit: limit))
      case .list(let question): return .listed(try page(question, isOver))
      case .describe(let id):
        return .described(try schedules([id]).first.flatMap(\.self), try history(of: id))
      }
    } catch {
      return .failed(error)
    }
  }

  /// Reads a few rows at a time until the page is full or its time is over.
  private func page(_ question: Question.List, _ isOver: () -> Bool) throws(StoreError) -> ScheduleList {
    var page = ScheduleList(next: question.last.map { .id($0) })
    var examined = 0
    repeat {
      let part = try list(
        question.search, after: page.next, limit: question.limit - page.schedules.count, examining: Self.rowsAtOnce)
      page.schedules += part.schedules
      page.next = part.next
      examined += Self.rowsAtOnce
    } while page.next != nil && page.schedules.count < question.limit && examined < Self.mostExamined && !isOver()
    return page
  }

  private static var rowsAtOnce: Int { 32 }
  /// Also for a store that is read without a clock.
  private static var mostExamined: Int { 1024 }
}

extension Engine.StoreRequest {
  /// Whether it may change the number of schedules.
  package var changesCounts: Bool {
    switch self {
    case .apply, .sweep: true
    case .lookUp, .inbox, .batches, .due, .owed, .followingZones, .describe, .list: false
    }
  }
}
