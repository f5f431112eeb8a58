import AdminHTTP
import ArgumentParser
import Foundation
import NIOHTTP1
import PocketwatchService

struct Page: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Print a link that opens the pages of a running service.",
    discussion: """
      The link works once, within ten minutes, and signs a browser in until it is closed. It is for you alone: whoever \
      opens it sees all payloads. Run this as the user of the service, with its settings: it shows the service the token \
      of POCKETWATCH_HTTP_TOKEN_FILE, or the one that the service made beside its database.

      Exit codes: 0 a link was printed, 69 the service gave none, 78 a setting is wrong.
      """)

  @Option(help: ArgumentHelp("A JSON file with settings; the environment wins over it.", valueName: "file"))
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
      throw PocketwatchCLI.failure(.configuration, "\(Setting.http.environmentVariable) is off: there are no pages")
    }
    let client = HTTPClient(settings)
    let answer: HTTPClient.Answer
    do throws(HTTPClient.Failure) {
      answer = try await client.answer(.POST, "/api/v1/page-link")
    } catch {
      throw failure(client, error.words + (error.isNobodyThere ? ". Is the service running?" : ""))
    }
    guard answer.status == 200, let link = try? JSONDecoder().decode(Link.self, from: Data(answer.body)) else {
      throw failure(
        client, answer.status == 401 ? client.unauthorizedReason : "what answers there has no pages that this opens")
    }
    try printLine((settings.origin?.description ?? client.address) + link.path)
  }

  private func failure(_ client: HTTPClient, _ reason: String) -> ExitCode {
    complain("no link from \(client.address): \(reason)")
    return .unavailable
  }
}
