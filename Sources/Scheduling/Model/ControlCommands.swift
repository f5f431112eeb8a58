package import Recurrence

/// The commands on a schedule that is live already.
extension Command {
  package struct Pause: Hashable, Sendable {
    package var id: ScheduleID
    /// When the pause ends automatically; nil if only a Resume ends it.
    package var end: End?
    package var reason: String?
    package var time: Instant?

    package enum End: Hashable, Sendable {
      case until(Instant)
      /// This long after the event's time.
      case after(DurationExpression)
    }

    package init(id: ScheduleID, end: End? = nil, reason: String? = nil, time: Instant? = nil) {
      self.id = id
      self.end = end
      self.reason = reason
      self.time = time
    }
  }

  package struct Resume: Hashable, Sendable {
    package var id: ScheduleID
    /// What becomes of the slots of the pause; nil for `skip`, but a one-shot that fell due is sent.
    package var misfirePolicy: MisfirePolicy?
    package var reason: String?

    package init(id: ScheduleID, misfirePolicy: MisfirePolicy? = nil, reason: String? = nil) {
      self.id = id
      self.misfirePolicy = misfirePolicy
      self.reason = reason
    }
  }

  package struct Trigger: Hashable, Sendable {
    package var id: ScheduleID
    /// Instead of the schedule's own.
    package var payload: [UInt8]?

    package init(id: ScheduleID, payload: [UInt8]? = nil) {
      self.id = id
      self.payload = payload
    }
  }

  package struct Update: Hashable, Sendable {
    package var id: ScheduleID
    package var change: DefinitionChange
    /// The revision that the client knows; nil if any may be changed.
    package var ifRevision: Int64?
    /// As of a Start.
    package var time: Instant?
    package var ignored: [String]

    package init(
      id: ScheduleID, change: DefinitionChange, ifRevision: Int64? = nil, time: Instant? = nil, ignored: [String] = []
    ) {
      self.id = id
      self.change = change
      self.ifRevision = ifRevision
      self.time = time
      self.ignored = ignored
    }
  }
}
