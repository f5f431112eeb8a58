import Foundation
import Testing

/// The vectors of a file in `Vectors/`: one JSON object a line.
enum VectorFile {
  /// Skips lines whose input is not a string (`null`, a number): they are for the decoder of events.
  static func lines<Line: Decodable>(_ name: String, as type: Line.Type = Line.self) -> [Line] {
    let url = Bundle.module.bundleURL.appendingPathComponent("Vectors/\(name)")
    guard let text = try? String(contentsOf: url, encoding: .utf8) else { return [] }
    return text.split(separator: "\n").compactMap { try? JSONDecoder().decode(Line.self, from: Data($0.utf8)) }
  }
}

struct CronVector: Decodable, Sendable, CustomTestStringConvertible {
  let cron: String
  let timezone: String
  let from: String
  let next: [String]

  var testDescription: String { "\(cron) in \(timezone) from \(from)" }
}

struct InvalidCronVector: Decodable, Sendable {
  let cron: String
  let field: String
}

struct DurationVector: Decodable, Sendable {
  let duration: String
  /// Absent if the duration must be rejected.
  let milliseconds: Int64?
}

/// A reported case: an expression with its slots, a duration with its length, or one that must be rejected.
struct FieldVector: Decodable, Sendable, CustomTestStringConvertible {
  let source: String
  let cron, timezone, from: String?
  let next: [String]?
  let duration: String?
  let milliseconds: Int64?
  let invalid: Bool?
  let field: String?

  static let all = VectorFile.lines("field.jsonl", as: FieldVector.self)

  var testDescription: String { "\(cron ?? duration ?? "") from \(source)" }
}
