import Bytes
import EventBus
import Scheduling

/// Builds the JSON members of an event's Detail, in order. What is nil or empty is left out.
struct EventDetail {
  private var members: [String] = []

  mutating func add(_ name: String, text: String?) {
    if let text { add(name, value: jsonQuoted(text)) }
  }

  mutating func add(_ name: String, texts: [String]) {
    if !texts.isEmpty { add(name, value: "[\(texts.map(jsonQuoted).joined(separator: ","))]") }
  }

  mutating func add(_ name: String, number: Int64?) {
    if let number { add(name, value: String(number)) }
  }

  mutating func add(_ name: String, flag: Bool?) {
    if let flag { add(name, value: String(flag)) }
  }

  mutating func add(_ name: String, json: JSONText?) {
    if let json { add(name, value: json.text) }
  }

  /// An object.
  mutating func add(_ name: String, _ object: EventDetail) {
    if !object.members.isEmpty { add(name, value: "{\(object.members.joined(separator: ","))}") }
  }

  private mutating func add(_ name: String, value: String) {
    members.append("\(jsonQuoted(name)):\(value)")
  }

  /// The event in the format of AWS PutEvents.
  func event(_ name: EventName) -> String {
    "{\"Source\":\"pocketwatch-cli\",\"DetailType\":\(jsonQuoted(name.rawValue)),\"Detail\":{\(members.joined(separator: ","))}}"
  }
}

/// One JSON value, as typed: text behind it would become fields of the command.
struct JSONText: Equatable {
  let text: String

  init(_ text: String) throws(JSONError) {
    var reader = try JSONReader(Array(text.utf8)[...])
    _ = try reader.readValue(uniqueKeys: false)
    try reader.readEnd()
    self.text = text
  }
}
