extension ScheduleStore {
  /// A store that cannot be taken away from under its process is always intact.
  package func checkIntact() throws(StoreError) {}

  /// Does what the engine asks for.
  package func answer(_ request: Engine.StoreRequest) -> Engine.StoreAnswer {
    do throws(StoreError) {
      switch request {
      case .look(let ids, let keys, let tried, let passedOver):
        if !(tried.isEmpty && passedOver.isEmpty) { try countTries(of: tried, passedOver: passedOver) }
        return .looked(try schedules(ids), try remembered(keys))
      case .inbox(let position, let limit):
        return .inbox(try takeInbox(after: position, limit: limit))
      case .due(let position, let through, let limit):
        return .due(try due(after: position, through: through, limit: limit))
      case .owed(let generation, let limit): return .owed(try owingStopped(after: generation, limit: limit))
      case .followingZones(let position, let limit):
        return .followingZones(try followingZones(after: position, limit: limit))
      case .apply(let changes):
        try apply(changes)
        return .applied
      case .sweep(let retention, let limit): return .swept(try sweep(retention, limit: limit))
      }
    } catch {
      return .failed(error)
    }
  }
}

extension Engine.StoreRequest {
  /// Whether there may be more or fewer schedules after it.
  package var changesCounts: Bool {
    switch self {
    case .apply, .sweep: true
    case .look, .inbox, .due, .owed, .followingZones: false
    }
  }
}
