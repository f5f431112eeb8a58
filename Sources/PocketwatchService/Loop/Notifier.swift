import Glibc

/// Notifies systemd, as sd_notify(3) does: sends datagrams to the socket in NOTIFY_SOCKET.
struct Notifier {
  private let address: sockaddr_un?
  private let length: socklen_t
  /// The interval of watchdog notifications in milliseconds, half of WATCHDOG_USEC; nil without a watchdog.
  let watchdogMilliseconds: Int64?

  init(environment: [String: String]) {
    let path = Array((environment["NOTIFY_SOCKET"] ?? "").utf8)
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    let capacity = MemoryLayout.size(ofValue: address.sun_path)
    if path.isEmpty || path.count >= capacity {
      self.address = nil
      length = 0
    } else {
      withUnsafeMutableBytes(of: &address.sun_path) { field in
        field.copyBytes(from: path)
        if path[0] == UInt8(ascii: "@") { field[0] = 0 }  // the abstract namespace
      }
      self.address = address
      length = socklen_t(MemoryLayout<sa_family_t>.size + path.count)
    }
    watchdogMilliseconds = Self.watchdogMilliseconds(environment)
  }

  /// As sd_watchdog_enabled(3): nil if it is for another process or invalid.
  private static func watchdogMilliseconds(_ environment: [String: String]) -> Int64? {
    if let process = environment["WATCHDOG_PID"], process != String(getpid()) { return nil }
    guard let microseconds = environment["WATCHDOG_USEC"].flatMap(Int64.init), microseconds > 0 else { return nil }
    return max(1, microseconds / 2000)
  }

  /// Sends one or more assignments, such as `READY=1`, in one datagram.
  ///
  /// A value may contain external text, such as an error of the broker. A line feed in it would begin another assignment, so
  /// control characters become spaces.
  func send(_ assignments: String...) {
    guard var address else { return }
    let file = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
    guard file >= 0 else { return }
    defer { close(file) }
    let bytes = Array(assignments.map(Self.onOneLine).joined(separator: "\n").utf8)
    withUnsafePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { target in
        _ = sendto(file, bytes, bytes.count, Int32(MSG_NOSIGNAL | MSG_DONTWAIT), target, length)
      }
    }
  }

  private static func onOneLine(_ assignment: String) -> String {
    var line = String.UnicodeScalarView()
    for scalar in assignment.unicodeScalars {
      line.append(scalar.properties.generalCategory == .control ? " " : scalar)
    }
    return String(line)
  }
}
