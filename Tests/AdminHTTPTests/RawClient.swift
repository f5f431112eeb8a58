import Foundation
import LoopbackHTTP

/// A client that sends raw bytes, valid HTTP or not, and waits at most 10 s for input.
final class RawClient {
  struct Failure: Error {}

  private let connection: LoopbackConnection
  private(set) var received = ""

  init(port: Int) throws { connection = try LoopbackConnection(port: port) }

  func send(_ text: String) { connection.send(text) }

  func get(_ path: String) {
    send(LoopbackClient.request(path, authorization: "Bearer \(tokenText)"))
  }

  func closeSending() { shutdown(connection.file, Int32(SHUT_WR)) }

  func forget() { received = "" }

  /// Waits until the server has closed its end according to the kernel; its last output may still be unread.
  func waitForClose(by port: Int) throws {
    var address = sockaddr_in()
    var length = socklen_t(MemoryLayout<sockaddr_in>.size)
    _ = withUnsafeMutablePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { getsockname(connection.file, $0, &length) }
    }
    // The server's end of the connection, in state ESTABLISHED.
    let ends = [port, Int(UInt16(bigEndian: address.sin_port))].map { "0100007F:" + String(format: "%04X", $0) }
    let line = "\(ends[0]) \(ends[1]) 01"
    var absences = 0
    for _ in 1...1000 {
      // The kernel may omit a line while other connections open and close.
      absences = try Self.connections().contains(line) ? 0 : absences + 1
      if absences == 3 { return }
      var hangup = pollfd(fd: connection.file, events: 0, revents: 0)
      poll(&hangup, 1, 20)
    }
    throw Failure()
  }

  /// The kernel's table of TCP connections. It arrives page by page, so a short read is not its end.
  private static func connections() throws -> String {
    guard let file = fopen("/proc/net/tcp", "r") else { throw Failure() }
    defer { fclose(file) }
    var bytes: [UInt8] = []
    var page = [UInt8](repeating: 0, count: 65_536)
    while case let count = fread(&page, 1, page.count, file), count > 0 { bytes += page.prefix(count) }
    return String(decoding: bytes, as: UTF8.self)
  }

  /// Reads until `text` was received. False when the connection ended or timed out.
  func reads(_ text: String) -> Bool {
    while !received.contains(text) { guard readSome() > 0 else { return false } }
    return true
  }

  /// Waits for the server to close the connection.
  func isClosed() -> Bool {
    while true {
      let count = readSome()
      if count == 0 { return true }
      if count < 0 { return errno == ECONNRESET }
    }
  }

  /// Waits at most this long for the server to close the connection.
  func isClosed(within seconds: Double) -> Bool {
    var state = pollfd(fd: connection.file, events: Int16(POLLIN), revents: 0)
    guard poll(&state, 1, Int32(seconds * 1000)) > 0 else { return false }
    let count = readSome()
    return count == 0 || (count < 0 && errno == ECONNRESET)
  }

  /// The number of bytes received; 0 when the server has closed the connection, -1 on an error.
  private func readSome() -> Int {
    guard let bytes = connection.receive() else { return -1 }
    received += String(decoding: bytes, as: UTF8.self)
    return bytes.count
  }
}
