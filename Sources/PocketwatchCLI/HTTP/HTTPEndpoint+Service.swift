import AdminHTTP
import Foundation
import PocketwatchService

extension HTTPEndpoint {
  /// The service itself. The token is sent if this user may read it and the listener is its owner: any user of the
  /// machine can listen on the port while the service is stopped.
  init(_ settings: AdminSettings) {
    let wildcards = ["0.0.0.0": "127.0.0.1", "::": "::1"]
    self.init(host: wildcards[settings.host] ?? settings.host, port: settings.port)
    do throws(TokenFileError) {
      let token = try settings.token.read()
      if case .file(let file) = settings.token, file.isMade, let owner = file.owner,
        let stranger = Listener.owners(ofLoopbackPort: settings.port).first(where: { $0 != owner })
      {
        tokenProblem = "user \(stranger) listens on this port, but user \(owner) owns the token in \(file.path)"
      } else {
        authorization = token.authorization
      }
    } catch {
      tokenProblem = "\(error)"
    }
  }

  /// The reason and the remedy for a 401.
  var unauthorizedReason: String {
    let advice =
      "run this as the user of the service, with its \(Setting.database.environmentVariable)"
      + " or \(Setting.httpTokenFile.environmentVariable)"
    let problem = tokenProblem.map { "; \($0)" } ?? ", and the one sent is wrong"
    return "the service requires its token\(problem); \(advice)"
  }
}

/// Listening sockets of this machine, from the kernel's tables.
enum Listener {
  /// The users who listen on a port of a loopback or wildcard address.
  static func owners(ofLoopbackPort port: Int) -> [uid_t] {
    ["/proc/net/tcp", "/proc/net/tcp6"].flatMap { path -> [uid_t] in
      guard let file = fopen(path, "r") else { return [] }
      defer { fclose(file) }
      // The table arrives page by page, so a short read is not its end.
      var bytes: [UInt8] = []
      var page = [UInt8](repeating: 0, count: 65_536)
      while case let count = fread(&page, 1, page.count, file), count > 0 { bytes += page.prefix(count) }
      return owners(ofLoopbackPort: port, table: String(decoding: bytes, as: UTF8.self))
    }
  }

  /// - Parameter table: One line per socket: `number: address:port remote state queues timer retransmissions user …`.
  static func owners(ofLoopbackPort port: Int, table: String) -> [uid_t] {
    table.split(separator: "\n").compactMap { line in
      let fields = line.split(separator: " ")
      guard fields.count > 7, fields[3] == "0A", let colon = fields[1].lastIndex(of: ":"),
        Int(fields[1][fields[1].index(after: colon)...], radix: 16) == port, isLoopback(fields[1][..<colon])
      else { return nil }
      return uid_t(fields[7])
    }
  }

  /// 32-bit words in host byte order: `0100007F` is 127.0.0.1.
  private static func isLoopback(_ address: Substring) -> Bool {
    if address.allSatisfy({ $0 == "0" }) { return true }
    if address.count == 32, address == "00000000000000000000000001000000" { return true }
    let isIPv4 = address.count == 8 || address.hasPrefix("0000000000000000FFFF0000")
    return isIPv4 && (address.hasSuffix("7F") || address.hasSuffix("00000000"))
  }
}
