import AdminHTTP
import ArgumentParser
import Foundation
import PocketwatchService

struct Page: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Print a sign-in link for the pages of a running service.",
    discussion: """
      The link works once, within ten minutes, and signs a browser in until it is closed. Do not share it: the pages show \
      all payloads. Run this command as the user of the service, with its settings: it authenticates with the token of \
      POCKETWATCH_HTTP_TOKEN_FILE, or with the one that the service created next to its database.

      Exit codes: 0 success, 69 no link from the service, 78 invalid setting.
      """)

  @Option(help: ArgumentHelp("A JSON file with settings; environment variables take precedence.", valueName: "file"))
  var config: String?

  private struct Link: Decodable {
    var path: String
  }

  func run() async throws {
    let settings = try await orExit {
      try await AdminSettings.read(
        from: SettingReader(environment: ProcessInfo.processInfo.environment, file: config))
    }
    guard let settings else {
      throw PocketwatchCLI.failure(.configuration, "\(Setting.http.environmentVariable) is off; there are no pages")
    }
    let service = HTTPEndpoint(settings)
    let response: HTTPEndpoint.Response
    do throws(HTTPFailure) {
      response = try await service.post("/api/v1/page-link")
    } catch {
      throw failure(service, error.message + (error.isUnreachable ? ". Is the service running?" : ""))
    }
    guard response.status == 200, let link = try? JSONDecoder().decode(Link.self, from: Data(response.body)) else {
      throw failure(
        service,
        response.status == 401 ? service.unauthorizedReason : "the program that listens there is not a Pocketwatch")
    }
    try printLine((settings.origin?.description ?? service.address) + link.path)
  }

  private func failure(_ service: HTTPEndpoint, _ reason: String) -> ExitCode {
    complain("no link from \(service.address): \(reason)")
    return .unavailable
  }
}
