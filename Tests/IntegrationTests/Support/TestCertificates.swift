import Foundation

/// A certificate for `localhost` with its authority, in a folder of their own, under the names that `ops/broker --tls`
/// requires.
struct TestCertificates {
  let folder: URL

  var ca: String { folder.appending(path: "ca.pem").path() }

  static func make(days: Int = 1) async throws -> TestCertificates {
    let folder = FileManager.default.temporaryDirectory.appending(path: "tls-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    let made = TestCertificates(folder: folder)
    try Data("subjectAltName=DNS:localhost\n".utf8).write(to: folder.appending(path: "extensions"))
    try await made.openssl(
      "req -x509 -newkey rsa:2048 -nodes -subj /CN=test-authority -days 1 -keyout ca.key -out ca.pem")
    try await made.openssl("req -newkey rsa:2048 -nodes -subj /CN=localhost -keyout key.pem -out request")
    try await made.openssl(
      "x509 -req -in request -CA ca.pem -CAkey ca.key -CAcreateserial -extfile extensions -days \(days) -out cert.pem")
    return made
  }

  /// Runs openssl with arguments in which file names are relative to this folder.
  func openssl(_ command: String) async throws {
    let files = ["ca.key", "ca.pem", "key.pem", "cert.pem", "request", "extensions", "locked.pem"]
    let arguments = command.split(separator: " ").map(String.init)
    _ = try await PrivateBroker.run(
      "/usr/bin/openssl", arguments.map { files.contains($0) ? folder.appending(path: $0).path() : $0 })
  }

  func remove() { try? FileManager.default.removeItem(at: folder) }
}
