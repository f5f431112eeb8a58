import AMQP
import AdminHTTP
import Foundation
import Glibc
import PrometheusMetrics
import Testing

@testable import PocketwatchService

/// Notifications of systemd, over a real datagram socket.
@Suite("Notifier")
struct NotifierTests {
  @Test("sends to a socket in a folder and to one in the abstract namespace", arguments: [false, true])
  func sends(isAbstract: Bool) throws {
    let path = FileManager.default.temporaryDirectory.appending(path: "n-\(UUID().uuidString.prefix(8))").path()
    let name = isAbstract ? "@" + path : path
    let socket = try #require(bound(to: name))
    defer {
      close(socket)
      unlink(path)
    }
    let notifier = Notifier(environment: ["NOTIFY_SOCKET": name])
    notifier.send("READY=1", "STATUS=ready")
    notifier.send("WATCHDOG=1")
    #expect(received(from: socket) == "READY=1\nSTATUS=ready")
    #expect(received(from: socket) == "WATCHDOG=1")
  }

  @Test("an error of the broker cannot add an assignment to a status")
  func foreignText() throws {
    let path = FileManager.default.temporaryDirectory.appending(path: "n-\(UUID().uuidString.prefix(8))").path()
    let socket = try #require(bound(to: path))
    defer {
      close(socket)
      unlink(path)
    }
    var readiness = Readiness(
      logger: RecordingLog().logger, notifier: Notifier(environment: ["NOTIFY_SOCKET": path]))
    readiness.set(.consumer, reason: .init("é ☕\nREADY=1\r\nMAINPID=1\u{0}\u{85}\u{7F}\u{1B}[1m end"))
    readiness.update(at: 0)
    #expect(received(from: socket) == "STATUS=not ready: é ☕ READY=1  MAINPID=1    [1m end")
  }

  @Test("unreachable pages are a detail of the status, and do not affect readiness")
  func pages() throws {
    let path = FileManager.default.temporaryDirectory.appending(path: "n-\(UUID().uuidString.prefix(8))").path()
    let socket = try #require(bound(to: path))
    defer {
      close(socket)
      unlink(path)
    }
    let configuration = Configuration(
      broker: BrokerSettings(urls: [try BrokerURL("amqp://broker")]), database: "/nowhere/pocketwatch.sqlite")
    let watch = ServiceWatch(configuration: configuration, registry: PrometheusRegistry())
    let log = RecordingLog()
    var readiness = Readiness(
      logger: log.logger, notifier: Notifier(environment: ["NOTIFY_SOCKET": path]), watch: watch)
    watch.set(pagesProblem: "cannot listen")
    readiness.set(.consumer, reason: nil)
    readiness.update(at: 0)
    #expect(received(from: socket) == "READY=1\nSTATUS=ready; no pages: cannot listen")
    #expect(watch.status.reason == nil)
    watch.set(pagesProblem: nil)
    readiness.update(at: 1)
    #expect(received(from: socket) == "STATUS=ready")
  }

  /// The next datagram; empty without one.
  private func received(from socket: Int32) -> String {
    var buffer = [UInt8](repeating: 0, count: 200)
    let count = recv(socket, &buffer, buffer.count, Int32(MSG_DONTWAIT))
    return String(decoding: buffer.prefix(max(0, count)), as: UTF8.self)
  }

  @Test(
    "without a socket, or with an invalid one, it has no effect",
    arguments: ["", "/nowhere/at/all", String(repeating: "x", count: 200)])
  func nowhere(name: String) {
    Notifier(environment: ["NOTIFY_SOCKET": name]).send("READY=1")
    Notifier(environment: [:]).send("READY=1")
  }

  @Test(
    "the watchdog is notified at half its interval",
    arguments: [
      ("30000000", 15_000), ("1", 1), ("-5", nil), ("0", nil), ("9223372036854775807", 4_611_686_018_427_387),
      ("x", nil), ("", nil),
    ])
  func watchdog(variable: String, milliseconds: Int64?) {
    #expect(Notifier(environment: ["WATCHDOG_USEC": variable]).watchdogMilliseconds == milliseconds)
  }

  @Test("a watchdog of another process is not notified")
  func otherProcess() {
    #expect(Notifier(environment: ["WATCHDOG_USEC": "1000", "WATCHDOG_PID": "1"]).watchdogMilliseconds == nil)
    #expect(Notifier(environment: ["WATCHDOG_USEC": "10000", "WATCHDOG_PID": "\(getpid())"]).watchdogMilliseconds == 5)
  }

  /// A datagram socket with this name; `@` means the zero byte of the abstract namespace.
  private func bound(to name: String) -> Int32? {
    let file = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    withUnsafeMutableBytes(of: &address.sun_path) { field in
      field.copyBytes(from: name.utf8)
      if name.hasPrefix("@") { field[0] = 0 }
    }
    let length = socklen_t(MemoryLayout<sa_family_t>.size + name.utf8.count)
    let status = withUnsafePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { bind(file, $0, length) }
    }
    return status == 0 ? file : nil
  }
}
