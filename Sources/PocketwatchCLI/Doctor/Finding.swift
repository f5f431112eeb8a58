import Foundation
import PocketwatchService

/// The result of one check, with a remedy unless it is ok.
struct Finding: Hashable, Encodable {
  enum Level: String, Encodable, CaseIterable, Comparable {
    case ok, warning, error

    static func < (left: Level, right: Level) -> Bool {
      (allCases.firstIndex(of: left) ?? 0) < (allCases.firstIndex(of: right) ?? 0)
    }

    /// 0, 1 or 2.
    var exitCode: Int32 { Int32(Self.allCases.firstIndex(of: self) ?? 0) }
  }

  /// The part of the set-up that was checked.
  enum Part: String, Encodable {
    case configuration, system, database, service, broker, rights, topology, policies, clock, zones
  }

  var part: Part
  var level: Level
  var message: String
  /// A command that fixes the problem; a sentence where no command can.
  var remedy: String?

  /// The keys of `doctor --json`, which scripts rely on.
  private enum CodingKeys: String, CodingKey {
    case part, level, remedy
    case message = "words"
  }

  static func ok(_ part: Part, _ message: String) -> Finding { Finding(part: part, level: .ok, message: message) }

  static func warning(_ part: Part, _ message: String, _ remedy: String) -> Finding {
    Finding(part: part, level: .warning, message: message, remedy: remedy)
  }

  static func error(_ part: Part, _ message: String, _ remedy: String) -> Finding {
    Finding(part: part, level: .error, message: message, remedy: remedy)
  }
}

extension Finding {
  /// For people: one line, and a second with the remedy.
  var lines: String {
    let head = "\(Self.padded(level.rawValue, 8))  \(Self.padded(part.rawValue, 13))  \(shownText(message))"
    return remedy.map { head + "\n" + String(repeating: " ", count: 10) + "fix: " + shownText($0) } ?? head
  }

  /// For programs: one line of JSON.
  var json: String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    let data = (try? encoder.encode(self)) ?? Data("{}".utf8)  // strings only: encoding cannot fail
    return String(decoding: data, as: UTF8.self)
  }

  private static func padded(_ text: String, _ width: Int) -> String {
    text + String(repeating: " ", count: max(0, width - text.count))
  }
}

/// Quotes a word of a shell command where necessary.
func shellWord(_ text: String) -> String {
  let isPlain = text.utf8.allSatisfy { byte in
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
      UInt8(ascii: "0")...UInt8(ascii: "9"):
      true
    default: "._-/:=@,".utf8.contains(byte)
    }
  }
  return isPlain && !text.isEmpty ? text : "'" + text.replacing("'", with: #"'\''"#) + "'"
}
