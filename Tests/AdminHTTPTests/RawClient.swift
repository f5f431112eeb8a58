import Foundation

/// A client that sends exactly these bytes, however wrong, and waits a few seconds at most.
final class RawClient {
  struct Failure: Error {}

  private let file: Int32
  private(set) var received = ""

  init(port: Int) throws {
    file = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    var limit = timeval(tv_sec: 10, tv_usec: 0)
    setsockopt(file, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = in_port_t(port).bigEndian
    address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
    let status = withUnsafePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        connect(file, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
      }
    }
    guard status == 0 else { throw Failure() }
  }

  deinit { close(file) }

  func send(_ text: String) {
    let bytes = Array(text.utf8)
    _ = Foundation.send(file, bytes, bytes.count, Int32(MSG_NOSIGNAL))
  }

  func get(_ path: String) {
    send("GET \(path) HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer \(tokenText)\r\n\r\n")
  }

  func closeSending() { shutdown(file, Int32(SHUT_WR)) }

  func forget() { received = "" }

  /// Waits until the server has closed its end, as the kernel tells: what it wrote before may still have to be read.
  func isLetGo(by port: Int) throws {
    var address = sockaddr_in()
    var length = socklen_t(MemoryLayout<sockaddr_in>.size)
    _ = withUnsafeMutablePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { getsockname(file, $0, &length) }
    }
    // Its end of the connection, established.
    let ends = [port, Int(UInt16(bigEndian: address.sin_port))].map { "0100007F:" + String(format: "%04X", $0) }
    let line = "\(ends[0]) \(ends[1]) 01"
    var absences = 0
    for _ in 1...1000 {
      // The kernel may pass over a line while connections come and go.
      absences = try Self.connections().contains(line) ? 0 : absences + 1
      if absences == 3 { return }
      var hangup = pollfd(fd: file, events: 0, revents: 0)
      poll(&hangup, 1, 20)
    }
    throw Failure()
  }

  /// The kernel's table, which it hands out page by page: to its very end, where a short read is none.
  private static func connections() throws -> String {
    guard let file = fopen("/proc/net/tcp", "r") else { throw Failure() }
    defer { fclose(file) }
    var bytes: [UInt8] = []
    var page = [UInt8](repeating: 0, count: 65_536)
    while case let count = fread(&page, 1, page.count, file), count > 0 { bytes += page.prefix(count) }
    return String(decoding: bytes, as: UTF8.self)
  }

  /// Reads until a text has come. False when the connection ended, or took too long.
  func reads(_ text: String) -> Bool {
    while !received.contains(text) { guard readSome() > 0 else { return false } }
    return true
  }

  /// Whether the server closes the connection.
  func isClosed() -> Bool {
    while true {
      let count = readSome()
      if count == 0 { return true }
      if count < 0 { return errno == ECONNRESET }
    }
  }

  /// Whether the server has closed the connection within so many seconds.
  func isClosed(within seconds: Double) -> Bool {
    var state = pollfd(fd: file, events: Int16(POLLIN), revents: 0)
    guard poll(&state, 1, Int32(seconds * 1000)) > 0 else { return false }
    let count = readSome()
    return count == 0 || (count < 0 && errno == ECONNRESET)
  }

  private func readSome() -> Int {
    var buffer = [UInt8](repeating: 0, count: 65_536)
    let count = recv(file, &buffer, buffer.count, 0)
    if count > 0 { received += String(decoding: buffer.prefix(count), as: UTF8.self) }
    return count
  }
}
