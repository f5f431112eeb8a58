import Bytes
import Testing

@Suite("Byte writer and ASCII")
struct ByteWriterTests {
  @Test("grows, overwrites in network byte order, and truncates")
  func writes() {
    var writer = ByteWriter(capacity: 0)
    for byte in 0..<UInt8(200) { writer.append(byte) }
    writer.put(bigEndian: UInt32(0x0102_0304), at: 0)
    writer.put(bigEndian: UInt16(0x0506), at: 4)
    writer.put(bigEndian: UInt64(0x0708_090A_0B0C_0D0E), at: 6)
    #expect(
      writer.count == 200 && Array(writer.array.prefix(15)) == [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 14])
    writer.truncate(to: 3)
    writer.append("ä")
    writer.append(bigEndian: UInt16(0xFFFE))
    #expect(writer.array == [1, 2, 3, 0xC3, 0xA4, 0xFF, 0xFE])
  }

  @Test("ASCII classes agree with those of the standard library on ASCII, and are false beyond it")
  func classes() {
    for byte in UInt8.min ... .max {
      let character = Character(Unicode.Scalar(byte))
      let isASCII = byte < 0x80
      #expect(byte.isDigit == (isASCII && character.isWholeNumber))
      #expect(byte.isLetter == (isASCII && character.isLetter))
      #expect(byte.hexDigitValue.map(Int.init) == (isASCII ? character.hexDigitValue : nil))
      #expect(byte.lowercased == (isASCII ? character.lowercased().utf8.first : byte))
      #expect(byte.isBlank == (byte == 0x20 || byte == 0x09))
    }
    #expect((0..<16).map { UInt8(hexDigit: $0) } == Array("0123456789abcdef".utf8))
  }
}
