import Foundation
import LoopbackHTTP

/// Many concurrent clients on one thread. Each sends a request and reads until the service closes the connection.
enum ClientCrowd {
  private struct Client {
    var file: Int32
    var request: [UInt8]
    var isSent = false
    var isDone = false
    /// The beginning of the response.
    var response: [UInt8] = []

    /// Nil without a response.
    var status: Int? {
      String(decoding: response, as: UTF8.self).firstMatch(of: /^HTTP\/1\.1 (\d{3})\s/).flatMap { Int($0.1) }
    }
  }

  /// Requests all paths at once; returns their statuses, nil for those without a response.
  static func get(
    _ paths: [String], port: Int, header: String = "Accept: */*", within seconds: Int = 120
  ) async throws -> [Int?] {
    try await withCheckedThrowingContinuation { continuation in
      Thread { continuation.resume(with: Result { try crowd(paths, port: port, header, within: seconds) }) }.start()
    }
  }

  private static func crowd(_ paths: [String], port: Int, _ header: String, within seconds: Int) throws -> [Int?] {
    allowFiles()
    var clients = try paths.map { try connect($0, port: port, header) }
    defer { for client in clients { close(client.file) } }
    let deadline = ContinuousClock.now + .seconds(seconds)
    while ContinuousClock.now < deadline {
      let open = clients.indices.filter { !clients[$0].isDone }
      if open.isEmpty { break }
      var polled = open.map { index in
        pollfd(file: clients[index].file, events: Int16(clients[index].isSent ? POLLIN : POLLOUT))
      }
      _ = poll(&polled, nfds_t(polled.count), 1000)
      for (index, ready) in zip(open, polled) where ready.revents != 0 { go(on: &clients[index]) }
    }
    return clients.map(\.status)
  }

  private static func go(on client: inout Client) {
    guard client.isSent else {
      let count = send(client.file, client.request, client.request.count, Int32(MSG_NOSIGNAL))
      client.isSent = count == client.request.count
      client.isDone = !client.isSent
      return
    }
    var buffer = [UInt8](repeating: 0, count: 65_536)
    let count = recv(client.file, &buffer, buffer.count, 0)
    if count > 0, client.response.count < 64 { client.response += buffer[..<min(count, 64)] }
    client.isDone = count == 0 || (count < 0 && errno != EAGAIN)
  }

  private static func connect(_ path: String, port: Int, _ header: String) throws -> Client {
    let file = try LoopbackConnection.connect(port: port, isBlocking: false)
    let request = "GET \(path) HTTP/1.1\r\nHost: localhost\r\n\(header)\r\nConnection: close\r\n\r\n"
    return Client(file: file, request: Array(request.utf8))
  }

  /// Raises the limit of open files to its maximum.
  private static func allowFiles() {
    var limits = rlimit()
    getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limits)
    limits.rlim_cur = limits.rlim_max
    setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limits)
  }
}

extension pollfd {
  fileprivate init(file: Int32, events: Int16) { self.init(fd: file, events: events, revents: 0) }
}
