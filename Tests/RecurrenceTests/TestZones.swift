import Foundation
import Recurrence

/// The zones of this machine.
enum TestZones {
  static let directory = ZoneDirectory()

  /// Whether the machine has zone files. Tests that need them are skipped otherwise.
  static let arePresent = (try? directory.rules(named: "Europe/Rome")) != nil

  /// The names of all zones of this machine, in alphabetical order.
  static let names: [String] = {
    let folder = SystemZoneFiles().folder
    let paths = FileManager.default.enumerator(atPath: folder)?.compactMap { $0 as? String } ?? []
    return paths.filter { (try? directory.rules(named: $0)) != nil }.sorted()
  }()

  /// One name for each set of rules: most zones have other names too.
  static let distinctNames: [String] = {
    var seen: Set<[ZoneTransition]> = []
    return names.filter { name in
      let zone = try? directory.rules(named: name)
      let transitions = zone?.transitions(after: Instant(milliseconds: .min), through: Instant(milliseconds: .max))
      return transitions.map { $0.isEmpty || seen.insert($0).inserted } ?? false
    }
  }()

  /// `nil` where the machine has no zone files at all; an error where this one is missing.
  static func rules(named name: String) throws -> ZoneRules? {
    guard arePresent || name == "UTC" else { return nil }
    return try directory.rules(named: name)
  }
}
