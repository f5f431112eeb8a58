import Foundation
import Glibc
import Recurrence
import Testing

/// A wall clock for one service, set by the test: libfaketime, which reads from a file how far it is off. The monotonic clock
/// stays as it is.
///
/// A timer is not cancelled when such a clock is set, as it is by the kernel: the service notices when it looks at the clock
/// again, within 10 s.
final class FakedClock {
  private static let program = "/usr/bin/faketime"
  static let isAvailable = FileManager.default.isExecutableFile(atPath: program)
  static let needsIt: Comment = "libfaketime sets the clock of a service: apt-get install faketime"

  private let file: URL
  /// Holds what the library shares between processes. A service that had to make it would lose its command line: Swift finds
  /// that beside the environment, which the library would move.
  private let holder: Program
  private var library: [String: String] = [:]
  private var heldBy: pid_t = 0
  /// What it was set to, and when on the true clock, in milliseconds.
  private var settings: [(since: Int64, offset: Int64)] = [(.min, 0)]

  init(in folder: URL) async throws {
    file = folder.appending(path: "clock")
    let script = #"echo "$$"; echo "$LD_PRELOAD"; echo "$FAKETIME_SHARED"; exec sleep 600"#
    holder = try Program(Self.program, ["-f", "+0", "/bin/sh", "-c", script])
    heldBy = try #require(pid_t(try await holder.output.next("the process id")))
    library["LD_PRELOAD"] = try await holder.output.next("the library")
    library["FAKETIME_SHARED"] = try await holder.output.next("what it shares")
    library["FAKETIME_TIMESTAMP_FILE"] = file.path()
    library["FAKETIME_NO_CACHE"] = "1"
    library["FAKETIME_DONT_FAKE_MONOTONIC"] = "1"
    try write(0)
  }

  deinit { kill(heldBy, SIGKILL) }  // then the holder clears away what was shared, and ends

  /// Has a service live by this clock from its next start on.
  func rule(_ service: ServiceProcess) { service.environment.merge(library) { $1 } }

  /// Sets it so many seconds beside the true time.
  func set(offset seconds: Double) throws {
    let milliseconds = Int64(seconds * 1000)
    settings.append((Self.trueTime, milliseconds))
    try write(milliseconds)
  }

  /// Sets it to an instant.
  func set(to instant: Instant) throws { try set(offset: Double(instant.milliseconds - Self.trueTime) / 1000) }

  private func write(_ milliseconds: Int64) throws {
    let seconds = Double(milliseconds) / 1000
    try Data("\(seconds < 0 ? "" : "+")\(seconds)\n".utf8).write(to: file, options: .atomic)
  }

  /// What it shows now.
  var now: Instant { Instant(milliseconds: Self.trueTime + (settings.last?.offset ?? 0)) }

  /// What it showed when an event came; the latest of what it showed while that may have been on its way.
  func reading(at event: ServiceEvent) -> Instant {
    let sent = event.received - 2000
    let before = settings.last { $0.since <= sent }.map(\.offset) ?? .min
    let since = settings.filter { $0.since > sent && $0.since <= event.received }.map(\.offset)
    return Instant(milliseconds: event.received + max(before, since.max() ?? .min))
  }

  private static var trueTime: Int64 { Int64(Date().timeIntervalSince1970 * 1000) }
}
