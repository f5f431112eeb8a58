import EventBus
import Foundation
import Testing

@Suite("JSON reader")
struct JSONReaderTests {
  @Test("accepts JSON and returns the bytes of the value", arguments: JSONCorpus.valid)
  func accepts(json: String) throws {
    let value = try parse(json.utf8)
    #expect(value.bytes.utf8Text == json.trimmingCharacters(in: .whitespacesAndNewlines))
  }

  @Test("rejects invalid JSON, with the reason", arguments: JSONCorpus.invalid.indices)
  func refuses(index: Int) {
    let (json, reason) = JSONCorpus.invalid[index]
    let error = #expect(throws: JSONError.self, "\(json.utf8Text)") { try parse(json) }
    #expect(error?.reason.contains(reason) == true, "\(json.utf8Text): \(error?.reason ?? "accepted")")
  }

  @Test(
    "returns the kind of a value",
    arguments: [
      ("{}", JSONValue.Kind.object), ("[]", .array), ("\"\"", .string), ("-1", .number), ("true", .boolean),
      ("false", .boolean), ("null", .null),
    ])
  func kinds(json: String, kind: JSONValue.Kind) throws {
    #expect(try parse(json.utf8).kind == kind)
  }

  @Test(
    "resolves escapes",
    arguments: [
      (#""""#, ""), (#""a""#, "a"), (#""\"\\\/\b\f\n\r\t""#, "\"\\/\u{8}\u{c}\n\r\t"),
      (#""\u0041\u00e9\u6f22""#, "Aé漢"),
      (#""\ud83d\ude00!""#, "😀!"), (#""\udbff\udfff""#, "\u{10ffff}"), (#""\u0000""#, "\0"), (#""\\u0041""#, "\\u0041"),
      (#""é""#, "é"),
    ])
  func escapes(json: String, text: String) throws {
    #expect(try parse(json.utf8).text.map { Array($0) } == Array(text.utf8))
  }

  @Test("reports the byte of an error, counted from 1")
  func position() {
    let error = #expect(throws: JSONError.self) { try parse(#"{"a": 01}"#.utf8) }
    #expect(error?.description == "',' or '}' is expected (byte 8)")
  }

  @Test("a duplicate key is noted, and the rest is still read")
  func duplicate() throws {
    var reader = try JSONReader(Array(#"{"a":1,"b":{"c":1,"c":2},"a":3,"d":4}"#.utf8)[...])
    var keys: [String] = []
    try reader.readObject { (reader, key) throws(JSONError) in
      keys.append(key.utf8Text)
      _ = try reader.readValue()
    }
    try reader.readEnd()
    #expect(keys == ["a", "b", "a", "d"])
    #expect(reader.duplicateKey?.description == "the key \"c\" occurs twice in one object (byte 19)")
  }

  @Test("duplicate keys are accepted where they are allowed")
  func duplicatesAllowed() throws {
    var reader = try JSONReader(Array(#"{"a":{"b":1,"b":2},"a":3}"#.utf8)[...])
    _ = try reader.readValue(uniqueKeys: false)
    #expect(reader.duplicateKey == nil)
  }

  @Test("one duplicate among 20,000 keys is found, and no false one")
  func manyKeys() throws {
    let members = (0..<20_000).map { "\"k\($0)\":\($0)" }
    #expect(throws: Never.self) { try parse("{\(members.joined(separator: ","))}".utf8) }
    #expect(throws: JSONError.self) { try parse("{\(members.joined(separator: ",")),\"k77\":0}".utf8) }
  }

  @Test("agrees with Foundation on valid documents", arguments: 0..<300 as Range<UInt64>)
  func agreesWithFoundation(seed: UInt64) throws {
    var random = RandomJSON(seed: seed)
    let json = random.document()
    #expect(throws: Never.self, "\(json)") { try parse(json.utf8) }
    let theirs = try JSONSerialization.jsonObject(with: Data(json.utf8), options: .fragmentsAllowed)
    #expect(try agrees(parse(json.utf8), with: theirs), "\(json)")
  }

  @Test("what Foundation refuses of damaged documents is refused here too", arguments: 0..<300 as Range<UInt64>)
  func noLaxerThanFoundation(seed: UInt64) {
    var random = RandomJSON(seed: seed)
    for _ in 0..<20 {
      let json = random.mutated(Array(random.document().utf8))
      guard (try? parse(json)) != nil else { continue }
      // Foundation cannot hold numbers beyond a double's range, which are JSON all the same.
      let isHuge = json.utf8Text.contains { $0 == "e" || $0 == "E" } || json.count { 0x30...0x39 ~= $0 } > 18
      if isHuge { continue }
      #expect(throws: Never.self, "\(json.utf8Text)") {
        try JSONSerialization.jsonObject(with: Data(json), options: .fragmentsAllowed)
      }
    }
  }
}

/// Whether Foundation sees in the bytes of each member, of objects at any depth, what it saw in the whole document.
private func agrees(_ value: JSONValue, with theirs: Any) throws -> Bool {
  if let text = value.text { return try Array(text) == Array(#require(theirs as? String).utf8) }
  guard value.kind == .object else {
    let ours = try JSONSerialization.jsonObject(with: Data(value.bytes), options: .fragmentsAllowed)
    func normalised(_ value: Any) throws -> Data {
      try JSONSerialization.data(withJSONObject: [value], options: .sortedKeys)
    }
    return try normalised(ours) == normalised(theirs)
  }
  let theirs = try #require(theirs as? [String: Any])
  var members: [(key: String, value: JSONValue)] = []
  var reader = try JSONReader(value.bytes)
  try reader.readObject { (reader, key) throws(JSONError) in
    members.append((key.utf8Text, try reader.readValue()))
  }
  return try members.count == theirs.count
    && members.allSatisfy { try agrees($0.value, with: #require(theirs[$0.key])) }
}
