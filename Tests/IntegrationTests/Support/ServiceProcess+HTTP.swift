import Foundation

extension ServiceProcess {
  /// The address of its pages, as `host:port`; the system may have chosen the port.
  func httpAddress() throws -> String {
    let line = log.lazy.compactMap { $0.firstMatch(of: /http:\/\/(127\.0\.0\.1:\d+)/) }.first
    guard let line else { throw Unexpected("the log does not name the address of the pages") }
    return String(line.output.1)
  }

  /// The header with the token that the service made beside its database.
  func authorization() throws -> String {
    let token = try String(contentsOfFile: database + ".token", encoding: .utf8)
    return "Authorization: Bearer \(token.trimmingCharacters(in: .whitespacesAndNewlines))"
  }

  /// The environment of a command of the same user for this service.
  func clientEnvironment() throws -> [String: String] {
    environment.merging(["POCKETWATCH_HTTP": try httpAddress()]) { $1 }
  }

  /// The link that `pocketwatch page` prints.
  func pageLink() async throws -> String {
    let answer = try await Program.run(TestEnvironment.binary, ["page"], environment: try clientEnvironment())
    guard answer.code == 0 else { throw Unexpected("no link: \(answer.complaint)") }
    return answer.output
  }
}
