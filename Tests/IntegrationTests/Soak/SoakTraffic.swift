/// The commands of a soak: a random mixture of the whole contract, each with its expected effect.
struct SoakTraffic {
  private var random: SoakGenerator
  private var lastLabel = 0
  /// Commands that may be sent again.
  private var recent: [SentCommand] = []
  private(set) var ids: Set<String> = []

  init(seed: UInt64) { random = SoakGenerator(state: seed) }

  /// Some commands at once, each with whether it was sent before.
  mutating func nextBurst() -> [(SentCommand, isRepeat: Bool)] {
    (0..<Int.random(in: 1...60, using: &random)).map { _ in next() }
  }

  private mutating func next() -> (SentCommand, isRepeat: Bool) {
    if random.oneIn(8), let earlier = recent.randomElement(using: &random) { return (earlier, true) }
    lastLabel += 1
    let command =
      switch Int.random(in: 0..<26, using: &random) {
      case 0: garbage()
      case 20...: control(id: poolID())
      case 1..<4: stop(id: poolID())
      case 4..<7: once()
      case 7..<12: recurring(id: "limited-\(lastLabel)", isLimited: true)
      default: recurring(id: poolID(), isLimited: random.oneIn(2))
      }
    if command.hasMessageID, command.kind != .garbage { recent = recent.suffix(100) + [command] }
    return (command, false)
  }

  /// A Start and a Stop for each of `count` ids; every other pair has no message_id.
  static func pairs(_ burst: Int, count: Int) -> [SentCommand] {
    let label = 10_000_000 + burst * 2 * count
    return (0..<count).flatMap { pair in
      let id = "pair-\(burst)-\(pair)"
      let hasMessageID = pair.isMultiple(of: 2)
      let (first, second) = (label + 2 * pair, label + 2 * pair + 1)
      return [
        SentCommand(
          label: first, id: id, kind: .recurring(step: 3_600_000, limit: nil, misfire: nil), hasMessageID: hasMessageID,
          detail: #""id": "\#(id)", "every": "1h", "payload": \#(first)"#),
        SentCommand(
          label: second, id: id, kind: .stop, hasMessageID: hasMessageID,
          detail: #""id": "\#(id)", "reason": "stop \#(second)""#),
      ]
    }
  }

  /// A Stop for each id that may tick without end.
  mutating func stopAll() -> [SentCommand] {
    ids.sorted().map { id in
      lastLabel += 1
      return stop(id: id)
    }
  }

  /// Ids that are started and stopped repeatedly; commands for some of them carry no message_id.
  private mutating func poolID() -> String {
    let (name, count) = random.oneIn(4) ? ("plain", 8) : ("pool", 60)
    let id = "\(name)-\(Int.random(in: 0..<count, using: &random))"
    ids.insert(id)
    return id
  }

  private func stop(id: String) -> SentCommand {
    SentCommand(
      label: lastLabel, id: id, kind: .stop, hasMessageID: !id.hasPrefix("plain"),
      detail: #""id": "\#(id)", "reason": "stop \#(lastLabel)""#)
  }

  private mutating func recurring(id: String, isLimited: Bool) -> SentCommand {
    let (timing, step) = Self.timings.randomElement(using: &random) ?? ("", 0)
    let limit = isLimited ? Int.random(in: 1...12, using: &random) : nil
    let misfire = [nil, nil, "fireOnce", "fireAll", "skip"].randomElement(using: &random) ?? nil
    var detail = #""id": "\#(id)", \#(timing)"#
    if let limit { detail += #", "limit": \#(limit)"# }
    if let misfire { detail += #", "misfirePolicy": "\#(misfire)""# }
    if random.oneIn(4) { detail += #", "jitter": "400ms""# }
    let hasMessageID = !id.hasPrefix("plain")
    if hasMessageID, random.oneIn(3) {
      let choice = ["replace", "replaceIfChanged", "keep", "reject"].randomElement(using: &random) ?? ""
      detail += #", "ifExists": "\#(choice)""#
    }
    return SentCommand(
      label: lastLabel, id: id, kind: .recurring(step: step, limit: limit, misfire: misfire),
      hasMessageID: hasMessageID, detail: detail + #", "payload": \#(lastLabel)"#)
  }

  private static let timings: [(String, Int64)] = [
    (#""cron": "* * * * * *""#, 1000), (#""cron": "*/2 * * * * *""#, 2000), (#""every": "1s""#, 1000),
    (#""every": "1500ms""#, 1500), (#""every": "3s""#, 3000),
    (#""cron": "* * * * * *", "timezone": "Europe/Rome""#, 1000),
  ]

  private mutating func once() -> SentCommand {
    let id = "once-\(lastLabel)"
    let delay = Int.random(in: 1...4000, using: &random)
    return SentCommand(
      label: lastLabel, id: id, kind: .once, hasMessageID: true,
      detail: #""id": "\#(id)", "duration": "\#(delay)ms", "payload": \#(lastLabel)"#)
  }

  /// A Pause, Resume, Trigger or Update. A Trigger needs a message_id, which commands on some ids do not have.
  private mutating func control(id: String) -> SentCommand {
    let name = ["Pause", "Pause", "Resume", "Resume", "Update", "Trigger"].randomElement(using: &random) ?? "Pause"
    var detail = #""id": "\#(id)", "#
    switch id.hasPrefix("plain") && name == "Trigger" ? "Resume" : name {
    case "Pause":
      detail += #""reason": "pause \#(lastLabel)""#
      if random.oneIn(2) { detail += #", "for": "\#(Int.random(in: 1...5, using: &random))s""# }
      return controlling(id, "Schedule Pause", detail)
    case "Resume":
      let policy = [nil, "skip", "fireOnce", "fireAll"].randomElement(using: &random) ?? nil
      if let policy { detail += #""misfirePolicy": "\#(policy)", "# }
      return controlling(id, "Schedule Resume", detail + #""reason": "resume \#(lastLabel)""#)
    case "Trigger": return controlling(id, "Schedule Trigger", detail + #""payload": \#(lastLabel)"#)
    default:
      if random.oneIn(3) { detail += #""cron": "*/3 * * * * *", "# }
      if random.oneIn(3) { detail += #""jitter": "300ms", "# }
      return controlling(id, "Schedule Update", detail + #""description": "update \#(lastLabel)""#)
    }
  }

  private func controlling(_ id: String, _ name: String, _ detail: String) -> SentCommand {
    SentCommand(
      label: lastLabel, id: id, kind: .control(name), hasMessageID: !id.hasPrefix("plain"), detail: detail)
  }

  private mutating func garbage() -> SentCommand {
    let bodies = ["", "{", #"{"DetailType": "Schedule Start", "Detail": {"id": "", "every": "1s"}}"#, "\u{0}\u{ff}"]
    let body = bodies.randomElement(using: &random) ?? ""
    return SentCommand(label: lastLabel, id: "", kind: .garbage, hasMessageID: true, detail: body)
  }
}

/// Random numbers that are the same for the same seed: SplitMix64.
struct SoakGenerator: RandomNumberGenerator {
  var state: UInt64

  mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var mixed = state
    mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
    return mixed ^ (mixed >> 31)
  }

  mutating func oneIn(_ times: Int) -> Bool { Int.random(in: 0..<times, using: &self) == 0 }
}
