import PocketwatchService
import Testing

/// The regular expressions of the operator's list of targets.
struct KeyPatternTests {
  @Test(
    "matches whole keys, and nothing else",
    arguments: [
      ("Alarm", ["Alarm"], ["Alarms", "An Alarm", "alarm", ""]),
      ("alarm\\..*", ["alarm.a", "alarm.", "alarm.a.b é"], ["alarm", "xalarm.a", "alarmxa"]),
      ("^a|b$", ["a", "b"], ["ab", "", "c"]),
      ("(a|bc)+", ["a", "bc", "abca"], ["", "b", "abcb"]),
      ("[a-c_-]{2,3}", ["ab", "c_-"], ["a", "abcd", "ad"]),
      ("[^0-9]\\d?", ["a", "a1", "é1"], ["1", "a12", ""]),
      ("\\w+\\s\\.\\[\\]", ["a_1 .[]"], [" .[]", "é .[]"]),
      ("(ab){2}", ["abab"], ["ab", "ababab"]),
      ("a{2,}", ["aa", "aaaaaa"], ["a", ""]),
      ("a{0,1}(|b)", ["", "a", "b", "ab"], ["ba", "aa"]),
      ("(a*)*b", ["b", "aaab"], ["a", "aaa"]),
      (".", ["a", "é", "🕰"], ["", "ab"]),
    ] as [(String, [String], [String])])
  func matches(text: String, all: [String], none: [String]) throws {
    let pattern = try KeyPattern(text)
    for key in all { #expect(pattern.matches(key), "\(text) and \(key)") }
    for key in none { #expect(!pattern.matches(key), "\(text) and \(key)") }
  }

  @Test(
    "says what is wrong, and where",
    arguments: [
      ("a(", "the group is not closed (character 3)"), ("a)", "unexpected \")\" (character 2)"),
      ("*a", "nothing to repeat before \"*\" (character 1)"), ("a**", "a repetition of a repetition (character 3)"),
      ("[a", "the set is not closed"), ("[]", "the set is empty"), ("[z-a]", "the range descends"),
      ("a{3,2}", "repetitions must ascend"), ("a{x}", "a number is expected in {}"), ("a{256}", "up to 255"),
      ("\\", "the pattern ends with \\"), ("\\b", "\\b is not supported"),
      ("(?i)a", "groups with (? are not supported"),
      ("a^b", "write \\^ for this character"), ("a$b", "write \\$ for this character"),
      ("(a{255}){255}", "the pattern is too large"), (String(repeating: "(", count: 40), "within each other"),
      (String(repeating: "a", count: 1025), "at most 1024 bytes"),
    ])
  func errors(text: String, reason: String) {
    #expect {
      try KeyPattern(text)
    } throws: { "\($0)".contains(reason) }
  }

  /// A client chooses the key, and the engine's thread matches it. A matcher that backtracks would need years for these.
  @Test(
    "takes no time that a key could stretch",
    arguments: ["(a+)+b", "(a|a)*b", "(a*)*b", "(.*)*x(.*)*y", "(a?){255}a{200}"])
  func hostile(text: String) throws {
    let pattern = try KeyPattern(text)
    let clock = ContinuousClock()
    let time = clock.measure { #expect(!pattern.matches(String(repeating: "a", count: 150) + "c")) }
    #expect(time < .seconds(2))
  }
}
