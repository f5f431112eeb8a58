import AMQP
import Logging
import Scheduling

/// Whether the service is ready: commands are processed and ticks are sent. If not, why.
///
/// systemd, `/readyz` and the pages get each change. The log gets one entry when the service becomes not ready, with reason and
/// remedy, and one when it is ready again. During an outage each attempt to connect may fail with another error, so further
/// reasons are logged once each, and only if they last.
struct Readiness {
  /// The parts on which readiness depends, the most important first.
  enum Part: Int, CaseIterable {
    case stopping, store, publisher, consumer, blocked, rights, intake
  }

  /// Parts without which commands are processed and ticks are sent.
  enum Detail {
    case replies, targets
  }

  /// Why a part is not ready.
  struct Reason: Equatable {
    var text: String
    var level: Logger.Level
    /// Reasons of one kind are logged once per outage. Nil if the text itself is the kind.
    var kind: String?

    init(_ text: String, level: Logger.Level = .warning, kind: String? = nil) {
      self.text = text
      self.level = level
      self.kind = kind
    }

    /// A connection that is down.
    init(_ error: AMQPError) {
      self.init("\(error)\(Self.advice(on: error))", kind: error.isOutage ? "outage" : nil)
    }

    /// Before the first connection after a start, which is not an error.
    static let connecting = Reason("connecting to the broker", level: .info)
    /// During a clean stop, which waits for outstanding confirms.
    static let stopping = Reason("stopping: waiting for confirms", level: .info)

    /// The text for the log and systemd.
    fileprivate var line: String { self == .stopping ? text : "not ready: \(text)" }

    /// Names the setting for an error about `user_id`.
    private static func advice(on error: AMQPError) -> String {
      guard error.kind == .channelClosed(code: 406), error.text.contains("user_id") else { return "" }
      return ". Set \(Setting.userID.environmentVariable)=off to leave user_id out of our events"
    }
  }

  /// A further reason is logged after this time.
  static let patienceMilliseconds: Int64 = 5_000
  /// Outages closer together than this are flapping. The end of such an outage is logged after `stableMilliseconds`.
  static let flapMilliseconds: Int64 = 60_000
  static let stableMilliseconds: Int64 = 10_000

  private let logger: Logger
  private let notifier: Notifier
  private let watch: ServiceWatch?
  /// Several brokers, tried in turn, may give different reasons for hours. They are reported together.
  private var reasons: [Part: [(broker: String?, reason: Reason)]] = [.consumer: [(nil, .connecting)]]
  /// The last status sent to systemd.
  private var notified: String?
  private var wasReady = false
  private var outage: Outage?
  private var lastOutageBegan: Int64?
  /// The current state and when it began, on the monotonic clock.
  private var state: (text: String, since: Int64)?
  /// What does not work although the service is ready.
  var details: [Detail: String] = [:]
  /// When `update(at:)` must be called again, on the monotonic clock; nil while only a change matters.
  private(set) var deadline: Int64?

  /// The time between "not ready" and "ready" in the log.
  private struct Outage {
    /// Kinds or texts of the reasons that were logged.
    var logged: Set<String> = []
    var isFlapping = false
  }

  init(logger: Logger, notifier: Notifier, watch: ServiceWatch? = nil) {
    self.logger = logger
    self.notifier = notifier
    self.watch = watch
  }

  /// - Parameter broker: The broker of this reason, of several. If nil, the reason replaces all others.
  mutating func set(_ part: Part, reason: Reason?, at broker: String? = nil) {
    defer { watch?.set(part, reason: reasons[part].map { Self.joined($0).text }) }
    guard let reason else { return reasons[part] = nil }
    var all = broker == nil ? [] : reasons[part, default: []].filter { $0.broker != nil }
    if let index = all.firstIndex(where: { $0.broker == broker }) {
      all[index].reason = reason
    } else {
      all.append((broker, reason))
    }
    reasons[part] = all
  }

  /// Notifies systemd and logs changes.
  mutating func update(at uptime: Int64) {
    let reason = Part.allCases.lazy.compactMap { [reasons] in reasons[$0] }.first.map(Self.joined)
    let text = reason?.line ?? "ready"
    // Unreachable pages do not affect ticks. They are a detail here, and are logged elsewhere.
    let details = [watch?.pagesProblem.map { "no pages: \($0)" }, details[.replies], details[.targets]].compactMap {
      $0
    }
    notify(([text] + details).joined(separator: "; "), isReady: reason == nil)
    if state?.text != text { state = (text, uptime) }
    let since = state?.since ?? uptime
    deadline = nil
    if let reason {
      log(reason, since: since, at: uptime)
    } else {
      logReady(since: since, at: uptime)
    }
  }

  private mutating func notify(_ text: String, isReady: Bool) {
    guard text != notified else { return }
    notified = text
    // READY is sent once. Later changes are a status.
    if isReady, !wasReady { notifier.send("READY=1", "STATUS=\(text)") } else { notifier.send("STATUS=\(text)") }
    if isReady { wasReady = true }
  }

  private mutating func log(_ reason: Reason, since: Int64, at uptime: Int64) {
    var outage = outage ?? begin(at: uptime)
    defer { self.outage = outage }
    let kind = reason.kind ?? reason.text
    guard !outage.logged.contains(kind) else { return }
    // Expected reasons, such as connecting and stopping, neither wait nor delay another reason.
    let isFirst = outage.logged.allSatisfy { $0 == Reason.connecting.text }
    guard isFirst || reason.level < .warning || uptime - since >= Self.patienceMilliseconds else {
      return deadline = since + Self.patienceMilliseconds
    }
    outage.logged.insert(kind)
    logger.log(level: reason.level, "\(reason.line)")
  }

  /// The wait for the first connection does not count as an outage for flapping.
  private mutating func begin(at uptime: Int64) -> Outage {
    guard wasReady else { return Outage() }
    defer { lastOutageBegan = uptime }
    return Outage(isFlapping: lastOutageBegan.map { uptime - $0 < Self.flapMilliseconds } ?? false)
  }

  private mutating func logReady(since: Int64, at uptime: Int64) {
    guard let outage else { return }
    guard !outage.isFlapping || uptime - since >= Self.stableMilliseconds else {
      return deadline = since + Self.stableMilliseconds
    }
    self.outage = nil
    logger.info("ready")
  }

  private static func joined(_ reasons: [(broker: String?, reason: Reason)]) -> Reason {
    var distinct: [Reason] = []
    for (_, reason) in reasons where !distinct.contains(reason) { distinct.append(reason) }
    guard distinct.count > 1 else { return distinct.first ?? .connecting }
    let kinds = Set(distinct.map(\.kind))
    return Reason(
      distinct.map(\.text).joined(separator: "; "), level: distinct.map(\.level).max() ?? .warning,
      kind: kinds.count == 1 ? kinds.first ?? nil : nil)
  }
}
