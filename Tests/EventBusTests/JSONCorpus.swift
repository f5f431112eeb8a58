/// Documents for the JSON reader, after the pattern of well-known parsing test suites; written for this project.
enum JSONCorpus {
  /// Valid documents.
  static let valid: [String] =
    scalars + strings + [
      "{}", "[]", " { } ", "\t[\n]\r\n", "[[]]", "[{}]", #"{"a":{}}"#, #"{"":0}"#, #"{"a":1,"b":2}"#, "[1,2,3]",
      "[ 1 , 2 ]", #"{ "a" : [ ] }"#, "[null,true,false]", #"{"a":[{"b":[{}]}]}"#, #"{"a":1,"A":2}"#,
      // Equal as characters, different as bytes.
      "{\"\u{e9}\":1,\"e\u{301}\":2}", #"{"\u00e9":1,"e\u0301":2}"#, #"{"a":1,"a ":2}"#, #"{"a\u0000":1,"a":2}"#,
      // The same key in different objects.
      #"{"a":{"a":{"a":1}}}"#, #"[{"a":1},{"a":2}]"#, #"{"b":{"a":1},"c":{"a":1}}"#,
      String(repeating: "[", count: 32) + String(repeating: "]", count: 32),
      String(repeating: #"{"a":"#, count: 31) + "[]" + String(repeating: "}", count: 31),
    ]

  private static let scalars = [
    "null", "true", "false", "0", "-0", "7", "-1", "10", "1.0", "0.1", "-0.0", "1e2", "1E2", "1e+2", "1e-2", "0e0",
    "0E+1", "1.5e10", "1e400", "-1e-400", "123456789012345678901234567890", "0.00000000000000000000000001",
    #""""#, #""a""#, " 1 ",
  ]

  private static let strings = [
    #""\"""#, #""\\""#, #""\/""#, #""/""#, #""\b\f\n\r\t""#, #""\u0000""#, #""\u001f""#, #""\u00e9""#, #""\u00E9""#,
    #""\ud83d\ude00""#, #""\uD83D\uDE00""#, #""\ud800\udc00""#, #""\udbff\udfff""#, #""\uffff""#, #""\ufeff""#,
    #""\\u0000""#, #""\\""#, "\"\u{7f}\"", "\"\u{80}\"", "\"\u{fffd}\"", "\"\u{10ffff}\"", "\"\u{2028}\"",
    "\"é ß 漢 😀\"", "\"\u{feff}\"", "\"{[,:]}\"", "\" \"",
  ]

  /// Invalid documents, each with a part of the reason.
  static let invalid: [(json: [UInt8], reason: String)] =
    structures.map { (Array($0.0.utf8), $0.1) } + badBytes

  private static let structures: [(String, String)] = [
    ("", "ends too early"), (" ", "ends too early"), ("\n", "ends too early"), ("[", "ends too early"),
    ("{", "a key"), ("[1", "',' or ']'"), ("{\"a\"", "':'"), ("{\"a\":", "ends too early"), ("{\"a\":1", "',' or '}'"),
    ("]", "a value"), ("}", "a value"), ("[}", "a value"), ("{]", "a key"), ("[1}", "',' or ']'"),
    ("{\"a\":1]", "',' or '}'"),
    ("[1,]", "a value"), ("[,1]", "a value"), ("[,]", "a value"), ("[1,,2]", "a value"), ("[1 2]", "',' or ']'"),
    ("{\"a\":1,}", "a key"), ("{,}", "a key"), ("{\"a\" 1}", "':'"), ("{\"a\",1}", "':'"), ("{\"a\"::1}", "a value"),
    ("{a:1}", "a key"), ("{'a':1}", "a key"), ("{1:1}", "a key"), ("{null:1}", "a key"), ("{[]:1}", "a key"),
    ("{\"a\":1 \"b\":2}", "',' or '}'"), ("[1:2]", "',' or ']'"), ("{}{}", "after the end"), ("[][]", "after the end"),
    ("1 2", "after the end"),
    ("null,", "after the end"), ("{}x", "after the end"), ("\"a\"\"b\"", "after the end"), ("{} //c", "after the end"),
    ("/**/{}", "a value"),
    ("[1]#", "after the end"), ("nul", "a value"), ("Null", "a value"), ("TRUE", "a value"), ("tru", "a value"),
    ("truee", "after the end"),
    ("nan", "a value"), ("NaN", "a value"), ("Infinity", "a value"), ("-Infinity", "a digit"), ("undefined", "a value"),
    ("+1", "a value"), ("-", "a digit"), ("--1", "a digit"), ("01", "after the end"), ("-01", "after the end"),
    ("00", "after the end"),
    ("1.", "a digit"), (".1", "a value"), ("-.1", "a digit"), ("1.e1", "a digit"), ("1e", "a digit"),
    ("1e+", "a digit"),
    ("1e1.5", "after the end"), ("1e1e1", "after the end"), ("0x10", "after the end"), ("1_000", "after the end"),
    ("1,000", "after the end"),
    ("1.2.3", "after the end"),
    ("0e", "a digit"), ("1a", "after the end"), ("٣", "a value"), ("\"", "not closed"), ("\"a", "not closed"),
    ("\"\\", "escape"),
    ("\"\\\"", "not closed"), ("'a'", "a value"), ("`a`", "a value"), ("\"\\a\"", "escape"), ("\"\\x41\"", "escape"),
    ("\"\\'\"", "escape"), ("\"\\0\"", "escape"), ("\"\\U0041\"", "escape"), ("\"\\u\"", "hexadecimal"),
    ("\"\\u1\"", "hexadecimal"), ("\"\\u123\"", "hexadecimal"), ("\"\\u123g\"", "hexadecimal"),
    ("\"\\u+123\"", "hexadecimal"),
    ("\"\\u 123\"", "hexadecimal"), ("\"\\u00", "hexadecimal"), ("\"\\ud800\"", "surrogate"),
    ("\"\\udc00\"", "surrogate"),
    ("\"\\ud800x\"", "surrogate"), ("\"\\ud800\\n\"", "surrogate"), ("\"\\ud800\\u0041\"", "surrogate"),
    ("\"\\ud800\\ud800\"", "surrogate"), ("\"\\udc00\\ud800\"", "surrogate"), ("\"\\ud800\\\"", "surrogate"),
    ("\"\\ud800\\u\"", "hexadecimal"), ("\"\n\"", "control character"), ("\"\t\"", "control character"),
    ("\"\u{0}\"", "control character"), ("\"\u{1f}\"", "control character"), ("{\"\n\":1}", "control character"),
    ("\u{0}", "a value"), ("[1]\u{0}", "after the end"), ("[\u{b}1]", "a value"), ("[\u{c}1]", "a value"),
    ("[\u{a0}1]", "a value"),
    ("[\u{2028}1]", "a value"), ("\u{feff}{}", "byte-order mark"), ("[\u{feff}]", "a value"),
    ("{\"a\":1,\"a\":1}", "twice"), ("{\"a\":1,\"b\":2,\"a\":3}", "twice"), ("{\"\":1,\"\":2}", "twice"),
    ("{\"a\":1,\"\\u0061\":2}", "twice"), ("{\"\u{e9}\":1,\"\\u00e9\":2}", "twice"), ("{\"/\":1,\"\\/\":2}", "twice"),
    ("{\"\u{1f600}\":1,\"\\ud83d\\ude00\":2}", "twice"), ("[{\"a\":1,\"a\":2}]", "twice"),
    ("{\"x\":{\"y\":[{\"a\":1,\"a\":2}]}}", "twice"), ("{\"a\":{\"a\":1},\"a\":2}", "twice"),
    (String(repeating: "[", count: 33) + String(repeating: "]", count: 33), "deeper than 32"),
    (String(repeating: "{\"a\":", count: 33) + "1" + String(repeating: "}", count: 33), "deeper than 32"),
    (String(repeating: "[", count: 100_000), "deeper than 32"),
  ]

  private static let badBytes: [([UInt8], String)] = [
    ([0x22, 0xFF, 0x22], "not UTF-8"), ([0x22, 0x80, 0x22], "not UTF-8"), ([0x22, 0xC3, 0x22], "not UTF-8"),
    // Overlong forms, a surrogate as UTF-8, and a scalar beyond the last.
    ([0x22, 0xC0, 0xAF, 0x22], "not UTF-8"), ([0x22, 0xE0, 0x80, 0xAF, 0x22], "not UTF-8"),
    ([0x22, 0xED, 0xA0, 0x80, 0x22], "not UTF-8"), ([0x22, 0xF4, 0x90, 0x80, 0x80, 0x22], "not UTF-8"),
    ([0x22, 0xE6, 0xBC], "not UTF-8"), ([0xFF], "not UTF-8"),
    // `[]` in UTF-16 with and without its mark, and in UTF-32.
    ([0xFE, 0xFF, 0x00, 0x5B, 0x00, 0x5D], "not UTF-8"), ([0xFF, 0xFE, 0x5B, 0x00, 0x5D, 0x00], "not UTF-8"),
    ([0x00, 0x5B, 0x00, 0x5D], "a value"), ([0x5B, 0x00, 0x5D, 0x00], "a value"),
    ([0xEF, 0xBB, 0xBF], "byte-order mark"),
    ([0xEF, 0xBB], "not UTF-8"),
  ]
}
