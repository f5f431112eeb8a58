import Foundation

extension ServiceProcess {
  /// The address of its pages, as `host:port`; the system may have chosen the port. Waits for it: the service may be
  /// ready before its pages are.
  func httpAddress() async throws -> String {
    var address: Substring?
    try await until("the address of the pages") {
      address = log.lazy.compactMap { $0.firstMatch(of: /http:\/\/(127\.0\.0\.1:\d+)/) }.first?.output.1
      return address != nil
    }
    return address.map(String.init) ?? ""
  }

  /// The header with the token that the service made beside its database.
  func authorization() throws -> String {
    let token = try String(contentsOfFile: database + ".token", encoding: .utf8)
    return "Authorization: Bearer \(token.trimmingCharacters(in: .whitespacesAndNewlines))"
  }

  /// The environment of a command of the same user for this service.
  func clientEnvironment() async throws -> [String: String] {
    environment.merging(["POCKETWATCH_HTTP": try await httpAddress()]) { $1 }
  }

  /// The link that `pocketwatch page` prints.
  func pageLink() async throws -> String {
    let answer = try await Program.run(TestEnvironment.binary, ["page"], environment: try await clientEnvironment())
    guard answer.code == 0 else { throw Unexpected("no link: \(answer.complaint)") }
    return answer.output
  }
}
