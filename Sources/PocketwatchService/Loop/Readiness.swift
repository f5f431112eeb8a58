import Logging

/// Whether commands are answered and ticks sent now, and if not, what is waited for. Each change is one entry in the log
/// and a word to systemd.
struct Readiness {
  /// What can be in the way, in the order in which it is told.
  enum Part: Int, CaseIterable {
    case stopping, store, publisher, consumer, blocked
  }

  private let logger: Logger
  private let notifier: Notifier
  private let watch: ServiceWatch?
  /// What is in the way of each part, with the broker that says so. Several brokers, tried in turn, may say different
  /// things for hours: they are told together.
  private var obstacles: [Part: [(broker: String?, text: String)]] = [.consumer: [(nil, "the broker: connecting")]]
  private var told: String?
  private var wasReady = false

  init(logger: Logger, notifier: Notifier, watch: ServiceWatch? = nil) {
    self.logger = logger
    self.notifier = notifier
    self.watch = watch
  }

  /// - Parameter broker: Where the obstacle lies, if it is with one of several brokers. Without it, it is the only one.
  mutating func set(_ part: Part, obstacle: String?, at broker: String? = nil) {
    defer { watch?.set(part, obstacle: obstacles[part].map(Self.words)) }
    guard let obstacle else { return obstacles[part] = nil }
    var all = broker == nil ? [] : obstacles[part, default: []].filter { $0.broker != nil }
    if let index = all.firstIndex(where: { $0.broker == broker }) {
      all[index].text = obstacle
    } else {
      all.append((broker, obstacle))
    }
    obstacles[part] = all
  }

  /// Tells the state if it has changed since it was told last.
  mutating func tell() {
    let obstacle = Part.allCases.lazy.compactMap { [obstacles] in obstacles[$0] }.first.map(Self.words)
    let state = obstacle ?? "ready"
    guard state != told else { return }
    told = state
    if let obstacle {
      logger.warning("waiting for \(obstacle)")
      notifier.send("STATUS=waiting for \(obstacle)")
    } else {
      logger.info("ready")
      // READY is told once; later changes are a status.
      if wasReady { notifier.send("STATUS=ready") } else { notifier.send("READY=1", "STATUS=ready") }
      wasReady = true
    }
  }

  private static func words(_ obstacles: [(broker: String?, text: String)]) -> String {
    var words: [String] = []
    for obstacle in obstacles where !words.contains(obstacle.text) { words.append(obstacle.text) }
    return words.joined(separator: "; ")
  }
}
