import AdminHTTP
import SQLiteStore

/// What the overview tells of the machine.
enum HostStatus {
  /// A database's path, and how long it and its log are.
  static func sizes(of database: String) -> String {
    guard let bytes = size(of: database) else { return database }
    return "\(database): \(text(bytes)), log \(text(size(of: database + "-wal") ?? 0))"
  }

  /// The length of a file in bytes; nil when there is none.
  static func size(of path: String) -> Int? { (try? fileSize(path)).flatMap(\.self) }

  /// The room on the file system of a database. Too little is less than a gigabyte that is less than a twentieth of it.
  static func disk(of database: String) -> Overview.Part {
    guard let (free, all) = try? diskRoom(database) else {
      return Overview.Part("Disk", isHealthy: false, "cannot be asked for its room")
    }
    return Overview.Part("Disk", isHealthy: free >= min(1_000_000_000, all / 20), "\(text(free)) of \(text(all)) free")
  }

  /// What the broker's clock shows AMQP does not tell; ours is right if the kernel says so.
  static var clock: Overview.Part {
    switch SystemClock.synchronization {
    case .within(let milliseconds):
      Overview.Part("Clock", isHealthy: true, "synchronised, to \(milliseconds) ms or better")
    case .none: Overview.Part("Clock", isHealthy: false, "not synchronised; chrony or systemd-timesyncd would do that")
    case .unknown: Overview.Part("Clock", isHealthy: true, "this process may not ask whether it is synchronised")
    }
  }

  /// `12.3 MB`; kB and up are powers of a thousand.
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
