import Logging
import Synchronization

/// Who may see the pages: whoever shows the token, and whoever has a session. A session begins with a link that works
/// once; `pocketwatch page` asks for one with the token.
///
/// Codes and sessions are kept in memory only, and end when the token changes.
final class Access: Sendable {
  /// How long a link works.
  static let codeLifetime = Duration.seconds(600)
  /// How long a session lasts that is not used.
  static let sessionLifetime = Duration.seconds(12 * 3600)
  private static let maximumCodes = 16
  private static let maximumSessions = 64

  private struct State {
    var token: AdminToken?
    /// Why there is no token, as it was logged.
    var reason: String?
    /// When each ends.
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

  /// Reads the token, or makes it; logs what is wrong with it.
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

  /// A code for one session.
  func makeCode() -> String {
    state.withLock { state in
      refresh(&state)
      return add(to: &state.codes, atMost: Self.maximumCodes, for: Self.codeLifetime)
    }
  }

  /// A session in exchange for a code, which is worth nothing afterwards; nil where it is worth nothing now.
  func session(for code: String) -> String? {
    state.withLock { state in
      refresh(&state)
      guard state.codes.removeValue(forKey: code) != nil else { return nil }
      return add(to: &state.sessions, atMost: Self.maximumSessions, for: Self.sessionLifetime)
    }
  }

  /// Adds a secret. Where there are as many as may be, the one that would end first makes room.
  private func add(
    to list: inout [String: ContinuousClock.Instant], atMost count: Int, for lifetime: Duration
  ) -> String {
    if list.count >= count, let first = list.min(by: { $0.value < $1.value }) { list[first.key] = nil }
    let secret = randomSecret()
    list[secret] = now() + lifetime
    return secret
  }

  /// Takes the token as it is now. Each change is logged once, and ends what began with the token before.
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
      if state.token != nil, token != nil { logger.notice("the token of the pages has changed; sessions ended") }
      (state.codes, state.sessions) = ([:], [:])
    }
    if let reason, reason != state.reason {
      logger.error("nobody can open the pages: \(reason)")
    } else if reason == nil, state.reason != nil {
      logger.info("the token of the pages can be read again")
    }
    (state.token, state.reason) = (token, reason)
  }

  private func read() throws(TokenFileError) -> AdminToken {
    guard case .file(let file) = source else { return try source.read() }
    return try file.readOrMake { reason in
      logger.notice(
        "made a token for the pages; `pocketwatch page` prints a link that opens them",
        metadata: ["file": "\(file.path)", "reason": "the file \(reason)"])
    }
  }
}
