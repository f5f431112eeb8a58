import AMQP
import Logging
import Scheduling

/// Whether commands are answered and ticks sent now, and if not, why.
///
/// systemd, `/readyz` and the pages get each change. The log gets one entry when the service becomes not ready, with the
/// cause and its cure, and one when it is ready again. While it is not ready, a broker that is away may give a different
/// error on each attempt: further reasons are logged once each, and only if they last.
struct Readiness {
  /// What can be in the way, the most important first.
  enum Part: Int, CaseIterable {
    case stopping, store, publisher, consumer, blocked, rights, intake
  }

  /// Why a part is not ready.
  struct Reason: Equatable {
    var text: String
    var level: Logger.Level
    /// Reasons of one kind are logged once in an outage; nil for a text that is its own kind.
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

    /// The first connection after a start: no fault.
    static let connecting = Reason("connecting to the broker", level: .info)
    /// A clean stop: what is in flight is confirmed first.
    static let stopping = Reason("stopping: waiting for confirms", level: .info)

    /// As the log and systemd have it.
    fileprivate var line: String { self == .stopping ? text : "not ready: \(text)" }

    /// The broker names a property; we name the switch.
    private static func advice(on error: AMQPError) -> String {
      guard error.kind == .channelClosed(code: 406), error.text.contains("user_id") else { return "" }
      return ". Set \(Setting.userID.environmentVariable)=off to leave user_id out of our events"
    }
  }

  /// A further reason is logged when it has lasted for so long.
  static let patienceMilliseconds: Int64 = 5_000
  /// An outage that follows another within this time has flapped: its end is logged when it has lasted as long as below.
  static let flapMilliseconds: Int64 = 60_000
  static let stableMilliseconds: Int64 = 10_000

  private let logger: Logger
  private let notifier: Notifier
  private let watch: ServiceWatch?
  /// Several brokers, tried in turn, may give different reasons for hours: they are reported together.
  private var reasons: [Part: [(broker: String?, reason: Reason)]] = [.consumer: [(nil, .connecting)]]
  /// What systemd was notified of.
  private var notified: String?
  private var wasReady = false
  private var outage: Outage?
  private var lastOutageBegan: Int64?
  /// Since when the present state lasts, on the monotonic clock.
  private var state: (text: String, since: Int64)?
  /// When `update(at:)` is to be called again at the latest, on the monotonic clock; nil while only a change matters.
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

  /// - Parameter broker: The one of several brokers that gives this reason. Without it, it is the only reason.
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

  /// Notifies systemd and logs, if there is something new.
  mutating func update(at uptime: Int64) {
    let reason = Part.allCases.lazy.compactMap { [reasons] in reasons[$0] }.first.map(Self.joined)
    let text = reason?.line ?? "ready"
    // Pages that cannot be reached hold up no tick: they are a detail here, and log it themselves.
    let detail = watch?.pagesProblem.map { "; no pages: \($0)" } ?? ""
    notify(text + detail, isReady: reason == nil)
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
    // READY is sent once; later changes are a status.
    if isReady, !wasReady { notifier.send("READY=1", "STATUS=\(text)") } else { notifier.send("STATUS=\(text)") }
    if isReady { wasReady = true }
  }

  private mutating func log(_ reason: Reason, since: Int64, at uptime: Int64) {
    var outage = outage ?? begin(at: uptime)
    defer { self.outage = outage }
    let kind = reason.kind ?? reason.text
    guard !outage.logged.contains(kind) else { return }
    // What is expected, such as connecting and stopping, neither waits nor makes another reason wait.
    let isFirst = outage.logged.allSatisfy { $0 == Reason.connecting.text }
    guard isFirst || reason.level < .warning || uptime - since >= Self.patienceMilliseconds else {
      return deadline = since + Self.patienceMilliseconds
    }
    outage.logged.insert(kind)
    logger.log(level: reason.level, "\(reason.line)")
  }

  /// The wait for the first connection is not an outage that could flap.
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
