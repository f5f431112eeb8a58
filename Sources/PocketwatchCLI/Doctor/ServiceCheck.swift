import AdminHTTP
import PocketwatchService

/// The service's own word, over HTTP.
struct ServiceCheck {
  /// Whether a service answers there, and its loop turns.
  private(set) var isRunning = false
  private(set) var findings: [Finding] = []

  /// What came of the three questions; nil where there was no answer.
  struct Answers {
    var address: String
    var health: (status: Int, text: String)?
    var readiness: (status: Int, text: String)?
    /// The status of a page that wants the token.
    var page: Int?
    /// Why there was no answer.
    var failure: HTTPClient.Failure?
  }

  init(_ settings: AdminSettings?, database: DatabaseCheck.State?) async {
    guard let settings else {
      findings = [.ok(.service, "its pages are off: not asked")]
      return
    }
    let answers = await Self.ask(HTTPClient(settings))
    isRunning = answers.health?.text == "ok\n"
    findings = Self.findings(answers, database: database)
  }

  private static func ask(_ client: HTTPClient) async -> Answers {
    var answers = Answers(address: client.address)
    do throws(HTTPClient.Failure) {
      let health = try await client.get("/healthz")
      answers.health = (health.status, health.text)
      let readiness = try await client.get("/readyz")
      answers.readiness = (readiness.status, readiness.text)
      answers.page = try await client.get("/preview").status
    } catch {
      answers.failure = error
    }
    return answers
  }

  static func findings(_ answers: Answers, database: DatabaseCheck.State?) -> [Finding] {
    let (address, http) = (answers.address, Setting.http.environmentVariable)
    guard let health = answers.health else {
      let words = "nothing answers at \(address): \(answers.failure?.words ?? "no answer")"
      if database == .held {
        return [
          .warning(.service, words + ", though a service holds the database", "set \(http) as the service has it")
        ]
      }
      return [.ok(.service, words + "; no service runs")]
    }
    let isAlive = health == (200, "ok\n")
    guard isAlive || health.text == "engine stalled\n" else {
      return [.error(.service, "another program answers at \(address)", "stop it, or give the service another \(http)")]
    }
    guard isAlive else {
      return [
        .error(
          .service, "the service at \(address) is stalled", "look at its disk; then systemctl restart pocketwatch")
      ]
    }
    var findings: [Finding] = []
    let isElsewhere = database == .free || database == .absent
    // With another database the token, which is beside it, is another, too.
    if let page = answers.page, page == 401, !isElsewhere {
      findings.append(
        .error(
          .service, "the service at \(address) does not take the token",
          "run this as the user of the service, with its \(Setting.database.environmentVariable) or"
            + " \(Setting.httpTokenFile.environmentVariable)"))
    }
    if isElsewhere {
      findings.append(
        .warning(
          .service, "the service at \(address) works on another database than the one configured here",
          "set \(Setting.database.environmentVariable) as the service has it"))
    }
    let text = answers.readiness?.text.replacing("\n", with: "") ?? "no answer"
    findings.append(
      answers.readiness?.status == 200
        ? .ok(.service, "the service at \(address) is ready")
        : .error(
          .service, "the service at \(address) is not ready: \(text)",
          "fix the cause; the service continues automatically"))
    return findings
  }
}
