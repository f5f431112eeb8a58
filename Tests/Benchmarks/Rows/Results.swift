import Foundation

/// All that a run of the bench leaves, for people and for `ops/bench-charts`.
struct Results: Codable {
  var machine: Machine
  var findings: [Finding] = []

  func write(to file: URL) throws {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    try FileManager.default.createDirectory(at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
    try encoder.encode(self).write(to: file)
  }
}
