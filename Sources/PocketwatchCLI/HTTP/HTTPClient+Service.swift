import AdminHTTP
import Foundation
import PocketwatchService

extension HTTPClient {
  /// A client of the service's own pages. It shows the token if this user may read it, and if whoever listens there is
  /// who made it: any user of the machine can take the port while the service is away.
  init(_ settings: AdminSettings) {
    // Where a service listens everywhere, it does so here.
    let everywhere = ["0.0.0.0": "127.0.0.1", "::": "::1"]
    self.init(host: everywhere[settings.host] ?? settings.host, port: settings.port)
    do throws(TokenFileError) {
      let token = try settings.token.read()
      if case .file(let file) = settings.token, file.isMade, let owner = file.owner,
        let stranger = Listener.owners(ofLoopbackPort: settings.port).first(where: { $0 != owner })
      {
        tokenProblem = "user \(stranger) listens there, and the token in \(file.path) belongs to user \(owner)"
      } else {
        authorization = token.authorization
      }
    } catch {
      tokenProblem = "\(error)"
    }
  }

  /// Why an answer of 401 came, and what to do.
  var unauthorizedReason: String {
    let advice =
      "run this as the user of the service, with its \(Setting.database.environmentVariable)"
      + " or \(Setting.httpTokenFile.environmentVariable)"
    let problem = tokenProblem.map { "; \($0)" } ?? ", and this one is another"
    return "the service requires its token\(problem); \(advice)"
  }
}

/// Who listens on this machine, as the kernel has it.
enum Listener {
  /// The users whose programs listen on a port of a loopback address, or of all addresses.
  static func owners(ofLoopbackPort port: Int) -> [uid_t] {
    ["/proc/net/tcp", "/proc/net/tcp6"].flatMap { path -> [uid_t] in
      guard let file = fopen(path, "r") else { return [] }
      defer { fclose(file) }
      // The kernel hands the table out page by page: to its very end, where a short read is none.
      var bytes: [UInt8] = []
      var page = [UInt8](repeating: 0, count: 65_536)
      while case let count = fread(&page, 1, page.count, file), count > 0 { bytes += page.prefix(count) }
      return owners(ofLoopbackPort: port, table: String(decoding: bytes, as: UTF8.self))
    }
  }

  /// - Parameter table: `number: address:port remote state queues timer retransmissions user …`, a line each.
  static func owners(ofLoopbackPort port: Int, table: String) -> [uid_t] {
    table.split(separator: "\n").compactMap { line in
      let fields = line.split(separator: " ")
      guard fields.count > 7, fields[3] == "0A", let colon = fields[1].lastIndex(of: ":"),
        Int(fields[1][fields[1].index(after: colon)...], radix: 16) == port, isLoopback(fields[1][..<colon])
      else { return nil }
      return uid_t(fields[7])
    }
  }

  /// Words of 32 bits in the order of the machine: `0100007F` is 127.0.0.1.
  private static func isLoopback(_ address: Substring) -> Bool {
    if address.allSatisfy({ $0 == "0" }) { return true }
    if address.count == 32, address == "00000000000000000000000001000000" { return true }
    let isIPv4 = address.count == 8 || address.hasPrefix("0000000000000000FFFF0000")
    return isIPv4 && (address.hasSuffix("7F") || address.hasSuffix("00000000"))
  }
}
