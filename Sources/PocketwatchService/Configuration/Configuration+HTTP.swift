package import AdminHTTP

extension AdminSettings {
  /// Reads the settings of the HTTP service; nil if it is off.
  package static func read(from reader: SettingReader) async throws -> AdminSettings? {
    let text = try await reader.text(.http) ?? "127.0.0.1:8472"
    let token = try await token(from: reader)
    let allowsChanges = try await reader.choice(.httpWrite, Switch.self) == .on
    let origin = try await origin(from: reader)
    if text == "off" { return nil }
    guard let (host, port) = address(text) else {
      throw ConfigurationError(.http, "must be an address and a port, such as 127.0.0.1:8472 or [::1]:8472, or off")
    }
    let settings = AdminSettings(host: host, port: port, token: token, allowsChanges: allowsChanges, origin: origin)
    // HTTP has no TLS, so a token sent over a network must be the operator's explicit choice.
    if !settings.isLoopback, token.isMade {
      throw ConfigurationError(
        .httpTokenFile,
        "is missing: \(host) is reachable from other machines, so a file with a token of at least \(AdminToken.minimumLength)"
          + " characters is required")
    }
    return settings
  }

  private enum Switch: String {
    case on, off
  }

  /// A configured file must exist at start. The default one is created when the HTTP service starts.
  private static func token(from reader: SettingReader) async throws -> TokenSource {
    guard let path = try await reader.text(.httpTokenFile) else {
      return .file(.beside(database: try await Configuration.database(from: reader)))
    }
    let file = TokenFile(path: path)
    do throws(TokenFileError) {
      _ = try file.read()
    } catch {
      throw ConfigurationError(.httpTokenFile, "\(error)")
    }
    return .file(file)
  }

  private static func origin(from reader: SettingReader) async throws -> WebOrigin? {
    guard let text = try await reader.text(.httpOrigin) else { return nil }
    guard let origin = WebOrigin(text) else {
      throw ConfigurationError(
        .httpOrigin, "must be scheme and host, without a path, such as https://pocketwatch.example or http://host:8080")
    }
    return origin
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
