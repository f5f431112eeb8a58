import Foundation
import PocketwatchService

/// One thing that the doctor has found: all is well, or what is wrong and how to fix it.
struct Finding: Hashable, Encodable {
  enum Level: String, Encodable, CaseIterable, Comparable {
    case ok, warning, error

    static func < (left: Level, right: Level) -> Bool {
      (allCases.firstIndex(of: left) ?? 0) < (allCases.firstIndex(of: right) ?? 0)
    }

    /// 0, 1 or 2.
    var exitCode: Int32 { Int32(Self.allCases.firstIndex(of: self) ?? 0) }
  }

  /// What was looked at.
  enum Part: String, Encodable {
    case configuration, system, database, service, broker, rights, topology, policies, clock, zones
  }

  var part: Part
  var level: Level
  var words: String
  /// A command that fixes it, or a sentence where no command can.
  var remedy: String?

  static func ok(_ part: Part, _ words: String) -> Finding { Finding(part: part, level: .ok, words: words) }

  static func warning(_ part: Part, _ words: String, _ remedy: String) -> Finding {
    Finding(part: part, level: .warning, words: words, remedy: remedy)
  }

  static func error(_ part: Part, _ words: String, _ remedy: String) -> Finding {
    Finding(part: part, level: .error, words: words, remedy: remedy)
  }
}

extension Finding {
  /// For people: a line, and one more with the remedy.
  var lines: String {
    let head = "\(Self.padded(level.rawValue, 8))  \(Self.padded(part.rawValue, 13))  \(Self.shown(words))"
    return remedy.map { head + "\n" + String(repeating: " ", count: 10) + "fix: " + Self.shown($0) } ?? head
  }

  /// For programs: one line of JSON.
  var json: String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    let data = (try? encoder.encode(self)) ?? Data("{}".utf8)  // texts only: it cannot fail
    return String(decoding: data, as: UTF8.self)
  }

  private static func padded(_ text: String, _ width: Int) -> String {
    text + String(repeating: " ", count: max(0, width - text.count))
  }

  /// A broker, or whoever named a queue, cannot move the terminal's cursor.
  private static func shown(_ text: String) -> String {
    text.unicodeScalars.contains(where: \.needsEscape) ? jsonQuoted(text) : text
  }
}

/// A word of a shell command, in quotes where it needs them.
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
