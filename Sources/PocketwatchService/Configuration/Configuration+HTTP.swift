package import AdminHTTP
import Foundation

extension AdminSettings {
  /// Where the pages are served; nil where they are switched off.
  package static func read(from reader: SettingReader) async throws -> AdminSettings? {
    let text = try await reader.text(.http) ?? "127.0.0.1:8472"
    let token = try await token(from: reader)
    let allowsChanges = try await reader.choice(.httpWrite, Switch.self) == .on
    if text == "off" { return nil }
    guard let (host, port) = address(text) else {
      throw ConfigurationError(.http, "must be an address and a port, such as 127.0.0.1:8472 or [::1]:8472, or off")
    }
    let settings = AdminSettings(host: host, port: port, token: token, allowsChanges: allowsChanges)
    if !settings.isLoopback, token == nil {
      throw ConfigurationError(
        .httpTokenFile,
        "is missing: \(host) can be reached from other machines, so a file with a token of \(AdminToken.minimumLength)"
          + " characters or more is needed")
    }
    if allowsChanges, token == nil {
      throw ConfigurationError(.httpTokenFile, "is missing: \(Setting.httpWrite.environmentVariable)=on wants a token")
    }
    return settings
  }

  private enum Switch: String {
    case on, off
  }

  private static func token(from reader: SettingReader) async throws -> AdminToken? {
    guard let path = try await reader.text(.httpTokenFile) else { return nil }
    guard let data = FileManager.default.contents(atPath: path), let text = String(data: data, encoding: .utf8) else {
      throw ConfigurationError(.httpTokenFile, "the file \(path) cannot be read")
    }
    guard let token = AdminToken(text.trimmingCharacters(in: .whitespacesAndNewlines)) else {
      throw ConfigurationError(
        .httpTokenFile,
        "the file \(path) does not hold one token of \(AdminToken.minimumLength) visible ASCII characters or more")
    }
    return token
  }

  /// `host:port`, an IPv6 address in brackets.
  private static func address(_ text: String) -> (host: String, port: Int)? {
    guard let colon = text.lastIndex(of: ":"), let port = UInt16(text[text.index(after: colon)...]) else { return nil }
    var host = String(text[..<colon])
    if host.hasPrefix("["), host.hasSuffix("]") {
      host = String(host.dropFirst().dropLast())
    } else if host.contains(":") {
      return nil
    }
    return host.isEmpty ? nil : (host, Int(port))
  }
}
