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
  /// When something kept quiet may be due; never later than it is.
  private var nextLook = Int64.max

  init(logger: Logger) {
    self.logger = logger
  }

  /// - Parameter kind: What counts as the same thing. One of few, never an id.
  mutating func log(_ kind: String, _ entry: Entry, uptime: Int64) {
    let count = (quiet[kind]?.count ?? 0) + 1
    if let until = quiet[kind]?.until, uptime < until {
      quiet[kind] = Quiet(until: until, count: count, last: entry)
    } else {
      tell(kind, entry, count: count, uptime: uptime)
    }
  }

  /// Says how often what was kept quiet happened, of kinds too that happen no more. Call now and then; it costs nothing
  /// while there is nothing to say.
  mutating func flush(uptime: Int64) {
    guard uptime >= nextLook else { return }
    for kind in quiet.keys.sorted() {
      guard let entry = quiet[kind], uptime >= entry.until else { continue }
      if entry.count == 0 {
        quiet[kind] = nil
      } else {
        tell(kind, entry.last, count: entry.count, uptime: uptime)
      }
    }
    nextLook = quiet.values.map(\.until).min() ?? .max
  }

  /// Writes an entry, after which its kind is quiet for a while.
  private mutating func tell(_ kind: String, _ entry: Entry, count: Int, uptime: Int64) {
    let until = uptime + Self.intervalMilliseconds
    quiet[kind] = Quiet(until: until, count: 0, last: entry)
    nextLook = min(nextLook, until)
    var metadata = entry.metadata
    if count > 1 { metadata["times"] = "\(count)" }
    logger.log(level: entry.level, "\(entry.message)", metadata: metadata)
  }
}
