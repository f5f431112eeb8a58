import Foundation
import Glibc

/// A Unix socket that receives a service's notifications to systemd.
final class DatagramSocket: Sendable {
  /// One entry per datagram.
  let messages = Inflow<String>()
  let path: String
  private let file: Int32

  /// - Parameter path: Shorter than 108 bytes.
  init(path: String) throws {
    self.path = path
    file = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8.prefix($0.count - 1)) }
    let status = withUnsafePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        bind(file, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
      }
    }
    guard status == 0 else {
      throw Inflow<String>.Missing(description: "no socket at \(path): \(String(cString: strerror(errno)))")
    }
    Thread.detachNewThread { [file, messages] in
      var buffer = [UInt8](repeating: 0, count: 4096)
      while case let count = recv(file, &buffer, buffer.count, 0), count > 0 {
        messages.append(String(decoding: buffer.prefix(count), as: UTF8.self))
      }
    }
  }

  func close() {
    shutdown(file, Int32(SHUT_RDWR))
    Glibc.close(file)
  }
}
