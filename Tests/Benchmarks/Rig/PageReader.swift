import Foundation
import Synchronization

/// A reader of the service's pages over a single, persistent connection.
final class PageReader {
  private let socket: Int32
  private let token: String

  init(port: Int, token: String) throws {
    self.token = token
    socket = Glibc.socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    var limit = timeval(tv_sec: 30, tv_usec: 0)
    setsockopt(socket, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = in_port_t(port).bigEndian
    address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
    let status = withUnsafePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        connect(socket, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
      }
    }
    guard status == 0 else { throw BenchError("cannot connect to the pages: errno \(errno)") }
  }

  deinit { close(socket) }

  /// Reads a page whole, and returns how many milliseconds that took.
  func read(_ path: String) throws -> Double {
    let begin = WallClock.nanoseconds
    let request = Array("GET \(path) HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer \(token)\r\n\r\n".utf8)
    guard send(socket, request, request.count, Int32(MSG_NOSIGNAL)) == request.count else {
      throw BenchError("cannot ask for \(path)")
    }
    var answer: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 65_536)
    var length = Int.max
    while answer.count < length {
      let count = recv(socket, &buffer, buffer.count, 0)
      guard count > 0 else { throw BenchError("\(path) was cut off") }
      answer += buffer[..<count]
      if length == .max { length = try Self.length(of: answer, path) ?? .max }
    }
    return Double(WallClock.nanoseconds - begin) / 1e6
  }

  /// The length of the answer with its head, once the head is complete.
  private static func length(of answer: [UInt8], _ path: String) throws -> Int? {
    guard let end = String(decoding: answer, as: UTF8.self).range(of: "\r\n\r\n") else { return nil }
    let head = String(decoding: answer, as: UTF8.self)[..<end.upperBound].lowercased()
    guard head.hasPrefix("http/1.1 200"),
      let length = head.firstMatch(of: /content-length: (\d+)/).flatMap({ Int($0.1) })
    else { throw BenchError("\(path) answers \(head.prefix(40))") }
    return head.utf8.count + length
  }
}

/// Continuous readers, as people and Prometheus, on a thread of their own.
final class Visitors: Sendable {
  private static let pagesPerSecond = 1

  private struct State {
    var isOver = false
    var milliseconds: [Double] = []
    var failure: String?
  }

  private let state = Mutex(State())
  private let ended = DispatchSemaphore(value: 0)

  /// Loads the pages in turn, one per second, and the metrics as often.
  init(port: Int, token: String, paths: [String]) {
    let thread = Thread { [self] in
      do {
        let reader = try PageReader(port: port, token: token)
        var turn = 0
        while !state.withLock({ $0.isOver }) {
          let next = WallClock.nanoseconds + 1_000_000_000 / Int64(Self.pagesPerSecond)
          if turn % Self.pagesPerSecond == 0 { _ = try reader.read("/metrics") }
          let milliseconds = try reader.read(paths[turn % paths.count])
          state.withLock { $0.milliseconds.append(milliseconds) }
          turn += 1
          usleep(UInt32(max(0, next - WallClock.nanoseconds) / 1000))
        }
      } catch {
        state.withLock { $0.failure = "\(error)" }
      }
      ended.signal()
    }
    thread.start()
  }

  /// Ends them, and returns how long each page took them.
  func leave() throws -> [Double] {
    state.withLock { $0.isOver = true }
    ended.wait()
    return try state.withLock { state in
      if let failure = state.failure { throw BenchError(failure) }
      return state.milliseconds
    }
  }
}
