import AdminHTTP
import SQLiteStore

/// The status of the machine, for the overview.
enum HostStatus {
  /// A database's path, with the sizes of the file and its log.
  static func sizes(of database: String) -> String {
    guard let bytes = size(of: database) else { return database }
    return "\(database): \(text(bytes)), log \(text(size(of: database + "-wal") ?? 0))"
  }

  /// The size of a file in bytes; nil if it does not exist.
  static func size(of path: String) -> Int? { (try? fileSize(path)).flatMap(\.self) }

  /// The free space on the file system of a database. Unhealthy below 1 GB, or below 5 % of a smaller file system.
  static func disk(of database: String) -> Overview.Part {
    guard let (free, all) = try? diskRoom(database) else {
      return Overview.Part("Disk", isHealthy: false, "free space is unknown")
    }
    return Overview.Part("Disk", isHealthy: free >= min(1_000_000_000, all / 20), "\(text(free)) of \(text(all)) free")
  }

  /// The kernel's view of our clock. (AMQP does not report the broker's.)
  static var clock: Overview.Part {
    switch SystemClock.synchronization {
    case .within(let milliseconds):
      Overview.Part("Clock", isHealthy: true, "synchronised, to \(milliseconds) ms or better")
    case .none: Overview.Part("Clock", isHealthy: false, "not synchronised; use chrony or systemd-timesyncd")
    case .unknown: Overview.Part("Clock", isHealthy: true, "synchronisation unknown: this process may not query it")
    }
  }

  /// `12.3 MB`, in powers of a thousand.
  static func text(_ bytes: Int) -> String {
    guard bytes >= 1000 else { return "\(bytes) bytes" }
    let units = ["kB", "MB", "GB", "TB"]
    var (tenths, unit) = (bytes / 100, 0)
    while tenths >= 10_000, unit < units.count - 1 {
      tenths /= 1000
      unit += 1
    }
    return "\(tenths / 10).\(tenths % 10) \(units[unit])"
  }
}
