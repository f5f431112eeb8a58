/// What a service is killed in the middle of: from its start, through what it finds in its queue, to its clean stop.
enum CrashScenario: String, CaseIterable, Sendable {
  /// A database is made, and a Start comes.
  case firstStart
  /// A Start.
  case start
  /// A one-shot that is due: Start and tick.
  case tick
  /// A limit of one: Start, tick, and the end by itself.
  case limit
  /// A Stop of a schedule that is live.
  case stop
  /// The layout of the first release becomes the present one.
  case migration

  /// The system calls before each of which the service is killed: those that reach the disk or the network, and those that
  /// wake its threads.
  var systemCalls: [String] {
    let calls = ["fdatasync", "pwrite64", "ftruncate", "unlink", "sendto", "recvfrom", "write"]
    return self == .firstStart || self == .migration ? calls + ["openat"] : calls
  }

  /// The command that the service finds, nil when there is none.
  ///
  /// - Parameter label: That of the command.
  func command(_ label: Int) -> SentCommand? {
    let id = self == .stop ? Self.liveID : "\(rawValue)-\(label)"
    let kind: SentCommand.Kind
    var detail = #""id": "\#(id)", "#
    switch self {
    case .firstStart, .start:
      kind = .recurring(step: 3_600_000, limit: nil, misfire: nil)
      detail += #""every": "1h", "payload": \#(label)"#
    case .tick:
      kind = .once
      detail += #""at": "2026-01-01T00:00:00Z", "payload": \#(label)"#
    case .limit:
      kind = .recurring(step: 1000, limit: 1, misfire: nil)
      detail += #""cron": "* * * * * *", "limit": 1, "payload": \#(label)"#
    case .stop:
      kind = .stop
      detail += #""reason": "stop \#(label)""#
    case .migration: return nil
    }
    return SentCommand(label: label, id: id, kind: kind, hasMessageID: true, detail: detail)
  }

  /// The event after which nothing more is to come; nil when the service has only to be ready.
  var lastEvent: String? {
    switch self {
    case .firstStart, .start: "Schedule Started"
    case .tick: "Schedule Tick"
    case .limit, .stop: "Schedule Stopped"
    case .migration: nil
    }
  }

  /// The id of the schedule that is live in the database with which a run begins.
  static let liveID = "live"
}
