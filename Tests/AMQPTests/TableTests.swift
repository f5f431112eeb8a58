import AMQP
import Testing

struct TableTests {
  @Test func keepsTheOrder() {
    var table: Table = ["b": 1.asField, "a": "x"]
    table["c"] = true
    table["b"] = "replaced"
    #expect(table.fields.map(\.name) == ["b", "a", "c"])
    #expect(table["b"]?.text == "replaced")
    table["a"] = nil
    table["missing"] = nil
    #expect(table.fields.map(\.name) == ["b", "c"])
    #expect(table["a"] == nil)
  }

  @Test func findsTheFirstOfTwo() {
    let table: Table = ["x": "first", "x": "second"]
    #expect(table["x"]?.text == "first")
  }

  @Test func textIsForLongStringsInUTF8() {
    #expect(FieldValue.string("é").text == "é")
    #expect(FieldValue.longString([0xFF]).text == nil)
    #expect(FieldValue.bytes([0x61]).text == nil)
    #expect(FieldValue.int32(1).text == nil)
  }
}

extension Int {
  fileprivate var asField: FieldValue { .int64(Int64(self)) }
}
