import AMQP
import ArgumentParser
import Foundation
import PocketwatchService

/// Address and credentials of the broker's management API.
struct ManagementOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "Address of RabbitMQ's management API, without a password, such as http://localhost:15672.", valueName: "url"))
  var management: String?

  @Option(help: ArgumentHelp("A file with its password; required for http to another machine.", valueName: "file"))
  var managementPasswordFile: String?

  func validate() throws {
    guard let management else { return }
    guard let url = URLComponents(string: management), let scheme = Self.scheme(of: url), let host = url.host,
      !host.isEmpty, ["", "/"].contains(url.path)
    else { throw ValidationError("--management takes http://host:port or https://host:port") }
    guard url.password == nil else {
      throw ValidationError(
        "--management must not contain the password, which others could see; use --management-password-file")
    }
    guard scheme == .https || managementPasswordFile != nil || Self.isLoopback(host) else {
      throw ValidationError(
        "--management http://\(host) would send the broker's password unencrypted over the network. Use https, or an ssh"
          + " tunnel: ssh -L 15672:localhost:15672 \(host), and --management http://localhost:15672. Or pass a password that"
          + " may be disclosed with --management-password-file")
    }
  }

  private static func scheme(of url: URLComponents) -> HTTPEndpoint.Scheme? {
    url.scheme.flatMap { HTTPEndpoint.Scheme(rawValue: $0.lowercased()) }
  }

  static func isLoopback(_ host: String) -> Bool {
    let host = bare(host).lowercased()
    if ["localhost", "::1"].contains(host) { return true }
    let parts = host.split(separator: ".", omittingEmptySubsequences: false)
    return parts.count == 4 && parts[0] == "127" && parts.allSatisfy { UInt8($0) != nil }
  }

  /// Nil without --management. Over https, trusts the same CAs as for the broker.
  func endpoint(like broker: BrokerSettings) throws -> HTTPEndpoint? {
    guard let url = management.flatMap({ URLComponents(string: $0) }), let login = broker.urls.first else { return nil }
    var password = ProcessInfo.processInfo.environment[SettingReader.managementPassword] ?? login.password
    if let file = managementPasswordFile {
      guard let text = try? String(contentsOfFile: file, encoding: .utf8) else {
        throw failure(.configuration, "--management-password-file: the file \(file) cannot be read")
      }
      password = text.trimmingCharacters(in: .newlines)
    }
    let credentials = Data("\(url.user ?? login.user):\(password)".utf8).base64EncodedString()
    let scheme = Self.scheme(of: url) ?? .http
    return HTTPEndpoint(
      scheme: scheme, host: Self.bare(url.host ?? ""), port: url.port ?? (scheme == .https ? 15671 : 15672),
      caFile: broker.tls?.caFile, authorization: "Basic \(credentials)")
  }

  /// Strips the brackets of an IPv6 address.
  private static func bare(_ host: String) -> String { host.trimmingCharacters(in: CharacterSet(charactersIn: "[]")) }
}
