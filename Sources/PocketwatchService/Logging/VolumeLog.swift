import Logging

/// Rate-limits entries that may come thousands of times a second: each distinct entry of a kind is logged in full the first time,
/// then at most once a minute with its count.
///
/// The number of distinct entries per kind is limited. Further ones are counted together, so that no client can flood the log with
/// entries that all differ.
struct VolumeLog {
  private struct Quiet {
    var until: Int64
    var count: Int
    var last: Entry
  }

  /// An entry that may come at volume.
  struct Entry {
    /// One of few constants, never an id.
    var kind: String
    /// Distinguishes it from others of its kind: the cause, the schedule's id, or both.
    var identity: String
    var level: Logger.Level
    var message: String
    var metadata: Logger.Metadata
  }

  private struct Key: Hashable, Comparable {
    var kind: String
    /// Nil for entries beyond the limit.
    var identity: String?

    static func < (one: Key, other: Key) -> Bool {
      // Entries beyond the limit come last.
      (one.kind, one.identity == nil ? 1 : 0, one.identity ?? "")
        < (other.kind, other.identity == nil ? 1 : 0, other.identity ?? "")
    }
  }

  static let intervalMilliseconds: Int64 = 60_000
  /// The most distinct entries of a kind at a time.
  static let maximumDistinct = 10

  private let logger: Logger
  private var quiet: [Key: Quiet] = [:]
  /// The current number of distinct entries, by kind.
  private var distinct: [String: Int] = [:]
  /// The earliest time at which `flush` may have something to report.
  private var nextLook = Int64.max

  init(logger: Logger) {
    self.logger = logger
  }

  mutating func log(_ entry: Entry, uptime: Int64) {
    let key = key(of: entry)
    guard let known = quiet[key] else {
      guard key.identity == nil else { return write(entry, under: key, count: 1, uptime: uptime) }
      // The limit of distinct entries is reached: this one waits for the count.
      return keepQuiet(key, Quiet(until: uptime + Self.intervalMilliseconds, count: 1, last: entry))
    }
    if uptime < known.until {
      quiet[key] = Quiet(until: known.until, count: known.count + 1, last: entry)
    } else {
      write(entry, under: key, count: known.count + 1, uptime: uptime)
    }
  }

  /// Logs the counts of suppressed entries that are due. Call it regularly; it is cheap while there is nothing to report.
  mutating func flush(uptime: Int64) {
    guard uptime >= nextLook else { return }
    for key in quiet.keys.sorted() {
      guard let entry = quiet[key], uptime >= entry.until else { continue }
      if entry.count == 0 {
        quiet[key] = nil
        if key.identity != nil { distinct[key.kind, default: 1] -= 1 }
      } else {
        write(entry.last, under: key, count: entry.count, uptime: uptime)
      }
    }
    nextLook = quiet.values.map(\.until).min() ?? .max
  }

  private mutating func key(of entry: Entry) -> Key {
    let key = Key(kind: entry.kind, identity: entry.identity)
    if quiet[key] != nil { return key }
    guard distinct[entry.kind, default: 0] < Self.maximumDistinct else { return Key(kind: entry.kind, identity: nil) }
    distinct[entry.kind, default: 0] += 1
    return key
  }

  /// Logs an entry, and suppresses it for the interval.
  private mutating func write(_ entry: Entry, under key: Key, count: Int, uptime: Int64) {
    keepQuiet(key, Quiet(until: uptime + Self.intervalMilliseconds, count: 0, last: entry))
    var metadata = entry.metadata
    if count > 1 { metadata["times"] = "\(count)" }
    // The id and the cause are those of the last one.
    let message = key.identity == nil && count > 1 ? "\(entry.message), among others" : entry.message
    logger.log(level: entry.level, "\(message)", metadata: metadata)
  }

  private mutating func keepQuiet(_ key: Key, _ entry: Quiet) {
    quiet[key] = entry
    nextLook = min(nextLook, entry.until)
  }
}
