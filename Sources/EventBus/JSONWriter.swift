import Bytes
import Recurrence

/// Writes JSON objects, with their commas.
///
/// Field names are constants without escapes. Texts get the escapes that RFC 8259, section 7 requires, and no others.
struct JSONWriter: ~Copyable {
  private var output: ByteWriter
  private var isFirstField = true

  init(capacity: Int) { output = ByteWriter(capacity: capacity) }

  /// Appends to a buffer, which `finish` returns.
  init(appendingTo output: consuming ByteWriter) { self.output = output }

  consuming func finish() -> ByteWriter { output }

  var bytes: [UInt8] { output.array }

  /// Writes an object with the fields that `content` writes.
  mutating func object(_ content: (inout JSONWriter) -> Void) {
    output.append(UInt8(ascii: "{"))
    isFirstField = true
    content(&self)
    output.append(UInt8(ascii: "}"))
    isFirstField = false
  }

  mutating func field(_ name: StaticString, object content: (inout JSONWriter) -> Void) {
    key(name)
    object(content)
  }

  mutating func field(_ name: StaticString, _ text: String) {
    key(name)
    output.append(jsonString: text)
  }

  /// A text given as UTF-8.
  mutating func field(_ name: StaticString, _ text: [UInt8]) {
    key(name)
    output.append(jsonString: text)
  }

  mutating func field(_ name: StaticString, _ number: Int64) {
    key(name)
    output.append(String(number))
  }

  /// An instant, as RFC 3339 in UTC.
  mutating func field(_ name: StaticString, _ instant: Instant) {
    key(name)
    append(instant)
  }

  private mutating func append(_ instant: Instant) {
    output.append(UInt8(ascii: "\""))
    instant.withRFC3339 { output.append($0) }
    output.append(UInt8(ascii: "\""))
  }

  mutating func field(_ name: StaticString, texts: [String]) {
    key(name)
    output.append(UInt8(ascii: "["))
    for (index, text) in texts.enumerated() {
      if index > 0 { output.append(UInt8(ascii: ",")) }
      output.append(jsonString: text)
    }
    output.append(UInt8(ascii: "]"))
  }

  mutating func field<Element>(
    _ name: StaticString, objects elements: [Element], _ content: (inout JSONWriter, Element) -> Void
  ) {
    key(name)
    output.append(UInt8(ascii: "["))
    for (index, element) in elements.enumerated() {
      if index > 0 { output.append(UInt8(ascii: ",")) }
      object { content(&$0, element) }
    }
    output.append(UInt8(ascii: "]"))
  }

  mutating func field(_ name: StaticString, instants: [Instant]) {
    key(name)
    output.append(UInt8(ascii: "["))
    for (index, instant) in instants.enumerated() {
      if index > 0 { output.append(UInt8(ascii: ",")) }
      append(instant)
    }
    output.append(UInt8(ascii: "]"))
  }

  /// A value that is JSON already, written unchanged.
  mutating func field(_ name: StaticString, json: [UInt8]) {
    key(name)
    output.append(json)
  }

  /// Writes the field if the value is true, and nothing otherwise.
  mutating func flag(_ name: StaticString, _ value: Bool) {
    guard value else { return }
    key(name)
    output.append("true" as StaticString)
  }

  mutating func field(_ name: StaticString, boolean value: Bool) {
    key(name)
    output.append(value ? "true" : "false" as StaticString)
  }

  /// A field whose name is a client's.
  ///
  /// - Parameter value: Writes JSON.
  mutating func field(named name: String, _ value: (inout ByteWriter) -> Void) {
    if !isFirstField { output.append(UInt8(ascii: ",")) }
    isFirstField = false
    output.append(jsonString: name)
    output.append(UInt8(ascii: ":"))
    value(&output)
  }

  private mutating func key(_ name: StaticString) {
    assert(name.hasPointerRepresentation && name.isASCII, "a field name that may need escapes")
    if !isFirstField { output.append(UInt8(ascii: ",")) }
    isFirstField = false
    output.append(UInt8(ascii: "\""))
    output.append(name)
    output.append("\":" as StaticString)
  }
}
