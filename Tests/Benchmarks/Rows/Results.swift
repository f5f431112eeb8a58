import Foundation

/// The results of a run, for people and for `ops/bench-charts`.
struct Results: Codable {
  /// A distribution of latencies: percentiles and milliseconds.
  struct Curve: Codable {
    var name: String
    var percentiles: [[Double]]
  }

  struct GrowthPoint: Codable {
    var schedules: Int
    /// For each tick: of the service's processor time, and of time.
    var processorMicroseconds, microseconds: Double
    var megabytes: Double
  }

  var machine: Machine
  var findings: [Finding] = []
  var latencies: [Curve] = []
  var growth: [GrowthPoint] = []
  /// Further observations, in words.
  var notes: [String] = []

  func write(to file: URL) throws {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    try FileManager.default.createDirectory(at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
    try encoder.encode(self).write(to: file)
  }
}
