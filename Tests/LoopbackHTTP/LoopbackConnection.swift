import Glibc

/// A blocking TCP connection to a port of 127.0.0.1, for tests and benchmarks.
package final class LoopbackConnection {
  package let file: Int32

  /// - Parameter receiveTimeoutSeconds: The longest wait of `receive`.
  package init(port: Int, receiveTimeoutSeconds: Int = 10) throws(LoopbackError) {
    file = try Self.connect(port: port)
    var limit = timeval(tv_sec: receiveTimeoutSeconds, tv_usec: 0)
    setsockopt(file, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
  }

  deinit { close(file) }

  /// Opens a socket and connects it, or begins to if it is not blocking. The caller closes it.
  package static func connect(port: Int, isBlocking: Bool = true) throws(LoopbackError) -> Int32 {
    let type = SOCK_STREAM.rawValue | (isBlocking ? 0 : SOCK_NONBLOCK.rawValue)
    let file = socket(AF_INET, Int32(type), 0)
    guard file >= 0 else { throw LoopbackError("no socket: errno \(errno)") }
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = in_port_t(port).bigEndian
    address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
    let status = withUnsafePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        Glibc.connect(file, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
      }
    }
    guard status == 0 || (!isBlocking && errno == EINPROGRESS) else {
      let error = LoopbackError("cannot connect to 127.0.0.1:\(port): errno \(errno)")
      close(file)
      throw error
    }
    return file
  }

  /// Whether the kernel accepted all bytes.
  @discardableResult
  package func send(_ text: String) -> Bool {
    let bytes = Array(text.utf8)
    return Glibc.send(file, bytes, bytes.count, Int32(MSG_NOSIGNAL)) == bytes.count
  }

  /// The next bytes; empty when the server has closed the connection. Nil on an error, in `errno`, such as the timeout.
  package func receive() -> [UInt8]? {
    var buffer = [UInt8](repeating: 0, count: 65_536)
    let count = recv(file, &buffer, buffer.count, 0)
    return count >= 0 ? Array(buffer.prefix(count)) : nil
  }
}

/// A connection or response that is not as expected.
package struct LoopbackError: Error, CustomStringConvertible {
  package let description: String

  package init(_ description: String) { self.description = description }
}
