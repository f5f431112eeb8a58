import Bytes
import Synchronization

/// The time zones by name. Each file is read once; `refresh` reads changed files again.
package final class ZoneDirectory: Sendable {
  private struct Entry {
    let stamp: ZoneFileStamp
    let rules: ZoneRules
  }

  /// The result of `refresh`; names in alphabetical order.
  package struct Changes: Equatable, Sendable {
    /// Zones with changed rules, and zones that were missing and are available again.
    package var changed: [String] = []
    /// Zones whose file was removed.
    package var gone: [String] = []
    /// Zones whose new file cannot be used. The old rules stay in use.
    package var unusable: [ExpressionError] = []

    package init() {}
  }

  private let files: any ZoneFiles
  private let entries = Mutex<[String: Entry]>([:])
  /// Zones whose file was removed.
  private let lost = Mutex<Set<String>>([])

  package init(files: any ZoneFiles = SystemZoneFiles()) {
    self.files = files
  }

  /// The rules of a zone. The error is of field `timezone`.
  package func rules(named name: String) throws(ExpressionError) -> ZoneRules {
    // UTC needs no file, for images without zone files.
    if name == ZoneRules.utc.name { return .utc }
    guard Self.isName(name.utf8) else {
      throw ExpressionError(
        field: "timezone", reason: "not a time zone name; use a name such as Europe/Rome or UTC")
    }
    if let known = entries.withLock({ $0[name]?.rules }) { return known }
    let entry = try read(name)
    entries.withLock { $0[name] = entry }
    return entry.rules
  }

  /// Reads the changed files again. If none has changed, it costs one stat per file in use.
  package func refresh() -> Changes {
    var changes = Changes()
    changes.changed = recoverLost()
    let known = entries.withLock { $0 }
    for (name, old) in known.sorted(by: { $0.key < $1.key }) {
      do {
        if try files.stamp(of: name) == old.stamp { continue }
        let new = try files.read(name)
        let entry = Entry(stamp: new.stamp, rules: try ZoneRules(name: name, tzif: new.bytes))
        entries.withLock { $0[name] = entry }
        if entry.rules != old.rules { changes.changed.append(name) }
      } catch ZoneFileError.absent {
        entries.withLock { $0[name] = nil }
        _ = lost.withLock { $0.insert(name) }
        changes.gone.append(name)
      } catch {
        changes.unusable.append(Self.unusable(name, error))
      }
    }
    changes.changed.sort()
    return changes
  }

  /// Returns the zones that were missing and are available again.
  private func recoverLost() -> [String] {
    let found = lost.withLock { $0 }.sorted().filter { (try? rules(named: $0)) != nil }
    lost.withLock { $0.subtract(found) }
    return found
  }

  /// The release of the zone data, such as `2026a`; `nil` if unknown.
  package var version: String? {
    for (path, prefix) in [("+VERSION", ""), ("tzdata.zi", "# version ")] {
      guard let file = try? files.read(path), file.bytes.starts(with: prefix.utf8) else { continue }
      let line = file.bytes.dropFirst(prefix.utf8.count).prefix { 0x21...0x7E ~= $0 }
      if !line.isEmpty { return String(decoding: line, as: UTF8.self) }
    }
    return nil
  }

  private func read(_ name: String) throws(ExpressionError) -> Entry {
    do {
      let file = try files.read(name)
      return Entry(stamp: file.stamp, rules: try ZoneRules(name: name, tzif: file.bytes))
    } catch ZoneFileError.absent {
      throw ExpressionError(
        field: "timezone",
        reason: "'\(name)' is not a time zone of this system; use a name such as Europe/Rome (case matters)")
    } catch {
      throw Self.unusable(name, error)
    }
  }

  private static func unusable(_ name: String, _ error: any Error) -> ExpressionError {
    let reason =
      switch error {
      case ZoneFileError.unreadable(let reason): reason
      default: "\(error)"
      }
    return ExpressionError(field: "timezone", reason: "the zone file of '\(name)' cannot be used: \(reason)")
  }

  /// Whether a name has the form of a zone name: parts of letters, digits, `_`, `+` and `-`, separated by slashes, each
  /// beginning with a letter. This excludes other paths (`../`, `/etc`), tables (`zone.tab`) and the system's copies of zones.
  private static func isName(_ name: String.UTF8View) -> Bool {
    let parts = name.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
    let others = ["posix", "right", "localtime", "posixrules"]
    return name.count <= 64
      && parts.allSatisfy { $0.first?.isLetter == true && $0.allSatisfy(isNameByte) }
      && !others.contains { parts[0].elementsEqual($0.utf8) }
  }

  private static func isNameByte(_ byte: UInt8) -> Bool {
    byte.isLetter || byte.isDigit || [UInt8(ascii: "_"), UInt8(ascii: "+"), UInt8(ascii: "-")].contains(byte)
  }
}
