import Foundation
import Testing

@testable import PocketwatchCLI

@Suite("HTTP requests of the command line")
struct HTTPEndpointTests {
  private static let secret = "Bearer 0123456789abcdef"

  @Test(
    "a failed request has a message for people",
    arguments: [
      ("SSH-2.0-OpenSSH\r\n", "not an HTTP response"), ("", "closed before the response was complete"),
      ("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nabc", "incomplete"),
      ("HTTP/1.1 200 OK\r\nContent-Length: 5000000\r\n\r\n" + String(repeating: "x", count: 5_000_000), "too long"),
    ])
  func failures(response: String, message: String) async throws {
    let server = try OneShotServer(response: response)
    do {
      _ = try await endpoint(server.port).post("/api/v1/page-link")
      Issue.record("no failure")
    } catch {
      #expect(error.message.contains(message) && !error.isUnreachable, "\(error)")
      #expect(!error.message.contains(Self.secret))
    }
    #expect(server.request.contains("POST /api/v1/page-link HTTP/1.1"))
  }

  @Test("a redirect is not followed, so that the token goes to the service only")
  func redirect() async throws {
    let other = try OneShotServer(response: "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
    let server = try OneShotServer(
      response: "HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:\(other.port)/\r\nContent-Length: 0\r\n\r\n")
    #expect(try await endpoint(server.port).get("/preview").status == 302)
    #expect(server.request.contains("Authorization: \(Self.secret)\r\n"))
    #expect(server.request.contains("Host: 127.0.0.1:\(server.port)\r\n"))
    #expect(other.request.isEmpty)
  }

  @Test("a refused connection and an unknown host are unreachable")
  func unreachable() async throws {
    var server: OneShotServer? = try OneShotServer(response: "")
    let port = try #require(server?.port)
    server = nil
    for host in ["127.0.0.1", "localhost", "pocketwatch.invalid"] {
      do {
        _ = try await HTTPEndpoint(host: host, port: port, timeout: .seconds(600)).get("/healthz")
        Issue.record("no failure")
      } catch {
        #expect(error.isUnreachable, "\(error)")
        #expect(["Connection refused", "no such host"].contains(error.message))
      }
    }
  }

  @Test("an address has brackets around an IPv6 host, and its scheme")
  func addresses() {
    #expect(HTTPEndpoint(host: "::1", port: 80).address == "http://[::1]:80")
    #expect(HTTPEndpoint(scheme: .https, host: "h", port: 15671).address == "https://h:15671")
  }

  private func endpoint(_ port: Int) -> HTTPEndpoint {
    // Far longer than needed: tests that use all processors run beside these.
    HTTPEndpoint(host: "127.0.0.1", port: port, authorization: Self.secret, timeout: .seconds(600))
  }
}

/// Answers one connection with fixed bytes and closes it.
private final class OneShotServer: @unchecked Sendable {  // `received` is guarded by the lock
  let port: Int
  private let listener: Int32
  private let lock = NSLock()
  private var received = ""

  /// What the client sent.
  var request: String { lock.withLock { received } }

  init(response: String) throws {
    struct NoSocket: Error {}
    let listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
    var length = socklen_t(MemoryLayout<sockaddr_in>.size)
    let status = withUnsafeMutablePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        bind(listener, $0, length) + listen(listener, 1) + getsockname(listener, $0, &length)
      }
    }
    guard status == 0 else { throw NoSocket() }
    port = Int(UInt16(bigEndian: address.sin_port))
    self.listener = listener
    Thread { [weak self] in
      let connection = accept(listener, nil, nil)
      guard connection >= 0 else { return }
      var buffer = [UInt8](repeating: 0, count: 65_536)
      let count = recv(connection, &buffer, buffer.count, 0)
      self?.note(String(decoding: buffer.prefix(max(0, count)), as: UTF8.self))
      let bytes = Array(response.utf8)
      var sent = 0
      while sent < bytes.count {
        let count = bytes[sent...].withUnsafeBytes { send(connection, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
        if count <= 0 { break }
        sent += count
      }
      close(connection)
    }.start()
  }

  deinit {
    shutdown(listener, Int32(SHUT_RDWR))  // ends a pending accept
    close(listener)
  }

  private func note(_ text: String) { lock.withLock { received = text } }
}
