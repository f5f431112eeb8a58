import Logging
import Synchronization

/// Access to the pages: by token, or by a browser session. A session begins with a one-time link, which `pocketwatch
/// page` requests with the token.
///
/// Codes and sessions are in memory only, and end when the token changes.
final class Access: Sendable {
  static let codeLifetime = Duration.seconds(600)
  /// Of an unused session; each use renews it.
  static let sessionLifetime = Duration.seconds(12 * 3600)
  private static let maximumCodes = 16
  private static let maximumSessions = 64

  private struct State {
    var token: AdminToken?
    /// The last logged reason why there is no token.
    var reason: String?
    /// By secret, with the time of expiry.
    var codes: [String: ContinuousClock.Instant] = [:]
    var sessions: [String: ContinuousClock.Instant] = [:]
  }

  private let source: TokenSource
  private let logger: Logger
  private let now: @Sendable () -> ContinuousClock.Instant
  private let state = Mutex(State())

  init(
    _ source: TokenSource, logger: Logger,
    now: @escaping @Sendable () -> ContinuousClock.Instant = { ContinuousClock.now }
  ) {
    self.source = source
    self.logger = logger
    self.now = now
  }

  /// Reads or creates the token; logs a failure.
  func prepare() { state.withLock { refresh(&$0) } }

  func accepts(token guess: String) -> Bool {
    state.withLock { state in
      refresh(&state)
      return state.token?.matches(guess) ?? false
    }
  }

  func accepts(session: String) -> Bool {
    state.withLock { state in
      refresh(&state)
      guard state.sessions[session] != nil else { return false }
      state.sessions[session] = now() + Self.sessionLifetime
      return true
    }
  }

  /// A one-time code, to be exchanged for a session.
  func makeCode() -> String {
    state.withLock { state in
      refresh(&state)
      return add(to: &state.codes, atMost: Self.maximumCodes, for: Self.codeLifetime)
    }
  }

  /// Exchanges a code for a session; nil when the code is invalid, used or expired.
  func session(for code: String) -> String? {
    state.withLock { state in
      refresh(&state)
      guard state.codes.removeValue(forKey: code) != nil else { return nil }
      return add(to: &state.sessions, atMost: Self.maximumSessions, for: Self.sessionLifetime)
    }
  }

  /// Adds a secret. At the limit, the one that expires first is removed.
  private func add(
    to list: inout [String: ContinuousClock.Instant], atMost count: Int, for lifetime: Duration
  ) -> String {
    if list.count >= count, let first = list.min(by: { $0.value < $1.value }) { list[first.key] = nil }
    let secret = randomSecret()
    list[secret] = now() + lifetime
    return secret
  }

  /// Reads the current token. A change is logged once and ends all codes and sessions.
  private func refresh(_ state: inout State) {
    let time = now()
    state.codes = state.codes.filter { $0.value > time }
    state.sessions = state.sessions.filter { $0.value > time }
    var (token, reason): (AdminToken?, String?) = (nil, nil)
    do throws(TokenFileError) {
      token = try read()
    } catch {
      reason = "\(error)"
    }
    if token != state.token {
      if state.token != nil, token != nil { logger.notice("the admin token has changed; sessions ended") }
      (state.codes, state.sessions) = ([:], [:])
    }
    if let reason, reason != state.reason {
      logger.error("no access to the pages: \(reason)")
    } else if reason == nil, state.reason != nil {
      logger.info("the admin token is readable again")
    }
    (state.token, state.reason) = (token, reason)
  }

  private func read() throws(TokenFileError) -> AdminToken {
    guard case .file(let file) = source else { return try source.read() }
    return try file.readOrCreate { reason in
      logger.notice(
        "created an admin token; `pocketwatch page` prints a link to the pages",
        metadata: ["file": "\(file.path)", "reason": "the file \(reason)"])
    }
  }
}
