import Foundation
import Glibc
import Recurrence
import Testing

/// A wall clock for one service, set by the test through libfaketime, which reads its offset from a file. The monotonic clock
/// is not changed.
///
/// Setting this clock does not cancel timers, as the kernel does for the real one: the service notices it when it reads the
/// clock again, within 10 s.
final class FakedClock {
  private static let program = "/usr/bin/faketime"
  static let isAvailable = FileManager.default.isExecutableFile(atPath: program)
  static let needsIt: Comment = "libfaketime sets the clock of a service: apt-get install faketime"

  private let file: URL
  /// The process that holds the library's shared memory. A service that had to create it would lose its command line, which
  /// Swift finds beside the environment, and the library moves that.
  private let holder: Program
  private var library: [String: String] = [:]
  private var heldBy: pid_t = 0
  /// What it was set to and when, by the true clock, in milliseconds.
  private var settings: [(since: Int64, offset: Int64)] = [(.min, 0)]

  init(in folder: URL) async throws {
    file = folder.appending(path: "clock")
    let script = #"echo "$$"; echo "$LD_PRELOAD"; echo "$FAKETIME_SHARED"; exec sleep 600"#
    holder = try Program(Self.program, ["-f", "+0", "/bin/sh", "-c", script])
    heldBy = try #require(pid_t(try await holder.output.next("the process id")))
    library["LD_PRELOAD"] = try await holder.output.next("the library")
    library["FAKETIME_SHARED"] = try await holder.output.next("the shared memory")
    library["FAKETIME_TIMESTAMP_FILE"] = file.path()
    library["FAKETIME_NO_CACHE"] = "1"
    library["FAKETIME_DONT_FAKE_MONOTONIC"] = "1"
    try write(0)
  }

  deinit { kill(heldBy, SIGKILL) }  // then the holder removes the shared memory and ends

  /// Has a service use this clock from its next start on.
  func rule(_ service: ServiceProcess) { service.environment.merge(library) { $1 } }

  /// Sets its offset from the true time, in seconds.
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

  /// The time that it shows now.
  var now: Instant { Instant(milliseconds: Self.trueTime + (settings.last?.offset ?? 0)) }

  /// The time that it showed when an event was received; the latest it showed while the event may have been in transit.
  func reading(at event: ServiceEvent) -> Instant {
    let sent = event.received - 10_000
    let before = settings.last { $0.since <= sent }.map(\.offset) ?? .min
    let since = settings.filter { $0.since > sent && $0.since <= event.received }.map(\.offset)
    return Instant(milliseconds: event.received + max(before, since.max() ?? .min))
  }

  private static var trueTime: Int64 { Int64(Date().timeIntervalSince1970 * 1000) }
}
