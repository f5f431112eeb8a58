/// What the service does when it is killed: it starts, handles the command in its queue, and stops cleanly.
enum CrashScenario: String, CaseIterable, Sendable {
  /// A database is created, then a Start.
  case firstStart
  /// A Start.
  case start
  /// A due one-shot: Start and tick.
  case tick
  /// A limit of one: Start, tick, and the automatic end.
  case limit
  /// A Stop of a live schedule.
  case stop
  /// A Pause of a live schedule.
  case pause
  /// A Resume of a paused schedule.
  case resume
  /// A Trigger of a live schedule, and its tick.
  case trigger
  /// An Update of a live schedule.
  case update
  /// A Pause of two live schedules by prefix.
  case batch
  /// The schema of the first release is migrated to the present one.
  case migration

  /// The system calls before each of which the service is killed: those to the disk and the network, and those that wake its
  /// threads.
  var systemCalls: [String] {
    let calls = ["fdatasync", "pwrite64", "ftruncate", "unlink", "sendto", "recvfrom", "write"]
    return self == .firstStart || self == .migration ? calls + ["openat"] : calls
  }

  /// The command in the queue; nil for none.
  ///
  /// - Parameter label: The command's label.
  func command(_ label: Int) -> SentCommand? {
    let id = needsLive ? Self.liveID : "\(rawValue)-\(label)"
    let kind: SentCommand.Kind
    var detail = #""\#(self == .batch ? "prefix" : "id")": "\#(id)", "#
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
    case .pause, .resume, .batch:
      kind = .control(self == .resume ? "Schedule Resume" : "Schedule Pause")
      detail += #""reason": "\#(rawValue) \#(label)""#
    case .trigger:
      kind = .control("Schedule Trigger")
      detail += #""payload": \#(label)"#
    case .update:
      kind = .control("Schedule Update")
      detail += #""every": "2h", "description": "update \#(label)""#
    case .migration: return nil
    }
    return SentCommand(label: label, id: id, kind: kind, hasMessageID: true, detail: detail)
  }

  /// The events with which the scenario is over, the outcome of its command among them: after a kill, a stored schedule ticks
  /// before its command, which the broker delivers again, is answered. None when the service only has to become ready.
  var lastEvents: [String] {
    switch self {
    case .firstStart, .start: ["Schedule Started"]
    case .tick: ["Schedule Started", "Schedule Tick"]
    case .trigger: ["Schedule Triggered", "Schedule Tick"]
    case .limit: ["Schedule Started", "Schedule Stopped"]
    case .stop: ["Schedule Stopped"]
    case .pause: ["Schedule Paused"]
    case .resume: ["Schedule Resumed"]
    case .update: ["Schedule Updated"]
    case .batch: ["Schedule Batch Done"]
    case .migration: []
    }
  }

  /// Whether its command is about a schedule that is live at the beginning of a run.
  var needsLive: Bool {
    switch self {
    case .stop, .pause, .resume, .trigger, .update, .batch: true
    case .firstStart, .start, .tick, .limit, .migration: false
    }
  }

  /// The id of the schedule that is live at the beginning of a run. A second one begins with it.
  static let liveID = "live"
}
