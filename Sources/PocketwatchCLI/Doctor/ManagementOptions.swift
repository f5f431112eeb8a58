import AMQP
import ArgumentParser
import Foundation
import PocketwatchService

/// Where the broker's management is, and who asks it.
struct ManagementOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "Address of RabbitMQ's management, without a password, such as http://localhost:15672.", valueName: "url"))
  var management: String?

  @Option(help: ArgumentHelp("A file with the password for it; required for another machine.", valueName: "file"))
  var managementPasswordFile: String?

  func validate() throws {
    guard let management else { return }
    guard let url = URLComponents(string: management), url.scheme == "http", let host = url.host, !host.isEmpty,
      ["", "/"].contains(url.path)
    else {
      throw ValidationError(
        "--management takes http://host:port. For https, have ssh carry it: ssh -L 15672:localhost:15672 host"
      )
    }
    guard url.password == nil else {
      throw ValidationError(
        "--management must not hold the password, which others could see: use --management-password-file")
    }
    guard managementPasswordFile != nil || Self.isLoopback(host) else {
      throw ValidationError(
        "--management http://\(host) would send the broker's password over the network unencrypted. Have ssh carry it:"
          + " ssh -L 15672:localhost:15672 \(host), and --management http://localhost:15672. Or name in"
          + " --management-password-file a password that may be read on the way")
    }
  }

  static func isLoopback(_ host: String) -> Bool {
    let host = bare(host).lowercased()
    if ["localhost", "::1"].contains(host) { return true }
    let parts = host.split(separator: ".", omittingEmptySubsequences: false)
    return parts.count == 4 && parts[0] == "127" && parts.allSatisfy { UInt8($0) != nil }
  }

  /// Nil when it is not asked for.
  func client(like broker: BrokerSettings) throws -> HTTPClient? {
    guard let url = management.flatMap({ URLComponents(string: $0) }), let login = broker.urls.first else { return nil }
    var password = ProcessInfo.processInfo.environment[SettingReader.managementPassword] ?? login.password
    if let file = managementPasswordFile {
      guard let text = try? String(contentsOfFile: file, encoding: .utf8) else {
        throw failure(.configuration, "--management-password-file: the file \(file) cannot be read")
      }
      password = text.trimmingCharacters(in: .newlines)
    }
    let credentials = Data("\(url.user ?? login.user):\(password)".utf8).base64EncodedString()
    return HTTPClient(
      host: Self.bare(url.host ?? ""), port: url.port ?? 15672, authorization: "Basic \(credentials)")
  }

  /// An IPv6 address without its brackets.
  private static func bare(_ host: String) -> String { host.trimmingCharacters(in: CharacterSet(charactersIn: "[]")) }
}
