import Logging

/// For what may happen thousands of times a second: each kind is logged the first time in full, then at most once a
/// minute with the number of times it happened since.
struct VolumeLog {
  private struct Quiet {
    var until: Int64
    var count: Int
    var last: Entry
  }

  struct Entry {
    var level: Logger.Level
    var message: String
    var metadata: Logger.Metadata
  }

  static let intervalMilliseconds: Int64 = 60_000

  private let logger: Logger
  private var quiet: [String: Quiet] = [:]

  init(logger: Logger) {
    self.logger = logger
  }

  /// - Parameter kind: What counts as the same thing. One of few, never an id.
  mutating func log(_ kind: String, _ entry: Entry, uptime: Int64) {
    if quiet[kind] != nil {
      quiet[kind]?.count += 1
      quiet[kind]?.last = entry
    } else {
      write(entry, count: 1)
      quiet[kind] = Quiet(until: uptime + Self.intervalMilliseconds, count: 0, last: entry)
    }
  }

  /// Says how often what was kept quiet happened. Call now and then.
  mutating func flush(uptime: Int64) {
    for kind in quiet.keys.sorted() {
      guard let entry = quiet[kind], uptime >= entry.until else { continue }
      if entry.count == 0 {
        quiet[kind] = nil
      } else {
        write(entry.last, count: entry.count)
        quiet[kind] = Quiet(until: uptime + Self.intervalMilliseconds, count: 0, last: entry.last)
      }
    }
  }

  private func write(_ entry: Entry, count: Int) {
    var metadata = entry.metadata
    if count > 1 { metadata["times"] = "\(count)" }
    logger.log(level: entry.level, "\(entry.message)", metadata: metadata)
  }
}
