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
  private var obstacles: [Part: String] = [.consumer: "the broker: connecting"]
  private var told: String?
  private var wasReady = false

  init(logger: Logger, notifier: Notifier) {
    self.logger = logger
    self.notifier = notifier
  }

  mutating func set(_ part: Part, obstacle: String?) {
    obstacles[part] = obstacle
  }

  /// Tells the state if it has changed since it was told last.
  mutating func tell() {
    let obstacle = Part.allCases.lazy.compactMap { [obstacles] in obstacles[$0] }.first
    let state = obstacle ?? "ready"
    guard state != told else { return }
    told = state
    if let obstacle {
      logger.warning("waiting for \(obstacle)")
      notifier.send("STATUS=waiting for \(obstacle)")
    } else {
      logger.info("ready")
      // READY is told once; later changes are a status.
      notifier.send(wasReady ? "STATUS=ready" : "READY=1\nSTATUS=ready")
      wasReady = true
    }
  }
}
