import AdminHTTP
import PocketwatchService

/// Asks the service over HTTP for its health and readiness.
struct ServiceCheck {
  /// Whether a healthy service answered.
  private(set) var isRunning = false
  private(set) var findings: [Finding] = []

  /// The responses to three requests; nil without a response.
  struct Answers {
    var address: String
    var health: (status: Int, text: String)?
    var readiness: (status: Int, text: String)?
    /// The status of a page that requires the token.
    var page: Int?
    /// Why a request failed.
    var failure: HTTPFailure?
  }

  init(_ settings: AdminSettings?, database: DatabaseCheck.State?) async {
    guard let settings else {
      findings = [.ok(.service, "HTTP is off; service not checked")]
      return
    }
    let answers = await Self.ask(HTTPEndpoint(settings))
    isRunning = answers.health?.text == "ok\n"
    findings = Self.findings(answers, database: database)
  }

  private static func ask(_ service: HTTPEndpoint) async -> Answers {
    var answers = Answers(address: service.address)
    do throws(HTTPFailure) {
      let health = try await service.get("/healthz")
      answers.health = (health.status, health.text)
      let readiness = try await service.get("/readyz")
      answers.readiness = (readiness.status, readiness.text)
      answers.page = try await service.get("/preview").status
    } catch {
      answers.failure = error
    }
    return answers
  }

  static func findings(_ answers: Answers, database: DatabaseCheck.State?) -> [Finding] {
    let (address, http) = (answers.address, Setting.http.environmentVariable)
    guard let health = answers.health else {
      let message = "no service at \(address): \(answers.failure?.message ?? "no response")"
      if database == .held {
        return [
          .warning(.service, message + "; but a service holds the database", "set \(http) to the service's value")
        ]
      }
      return [.ok(.service, message)]
    }
    let isAlive = health == (200, "ok\n")
    guard isAlive || health.text == "engine stalled\n" else {
      return [
        .error(.service, "another program answers at \(address)", "stop it, or set another \(http) for the service")
      ]
    }
    guard isAlive else {
      return [
        .error(
          .service, "engine stalled in the service at \(address)", "check its disk; then systemctl restart pocketwatch")
      ]
    }
    var findings: [Finding] = []
    let isElsewhere = database == .free || database == .absent
    // The token is next to the database, so with another database it differs, too.
    if let page = answers.page, page == 401, !isElsewhere {
      findings.append(
        .error(
          .service, "the service at \(address) does not accept the token",
          "run this as the user of the service, with its \(Setting.database.environmentVariable) or"
            + " \(Setting.httpTokenFile.environmentVariable)"))
    }
    if isElsewhere {
      findings.append(
        .warning(
          .service, "the service at \(address) uses another database than the configured one",
          "set \(Setting.database.environmentVariable) to the service's value"))
    }
    let text = answers.readiness?.text.replacing("\n", with: "") ?? "no response"
    findings.append(
      answers.readiness?.status == 200
        ? .ok(.service, "the service at \(address) is ready")
        : .error(
          .service, "the service at \(address) is not ready: \(text)",
          "fix the cause; the service recovers automatically"))
    return findings
  }
}
