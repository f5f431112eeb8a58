import AMQP
import AMQPTestKit
import Testing

/// What changes in a property block when its message is sent on, and what its `x-delay` asks for.
struct ForwardingTests {
  private typealias Block = PropertyBlock

  /// A type with a value, what it asks for, and what it is when it is sent on.
  @Test(
    arguments: [
      ("b", [100], 100, "b", [0x9C]), ("b", [0x9C], -100, "b", [0x9C]),
      ("B", [200], 200, "l", Block.number(Int64(-200))), ("s", [0x7F, 0xFF], 32_767, "s", [0x80, 1]),
      ("u", [0xFF, 0xFF], 65_535, "l", Block.number(Int64(-65_535))),
      ("I", Block.number(Int32.max), Int64(Int32.max), "I", Block.number(-Int32.max)),
      ("I", Block.number(Int32(0)), 0, "I", Block.number(Int32(0))),
      ("i", Block.number(UInt32.max), Int64(UInt32.max), "l", Block.number(-Int64(UInt32.max))),
      ("l", Block.number(Int64(5000)), 5000, "l", Block.number(Int64(-5000))),
      ("l", Block.number(Int64.min), .min, "l", Block.number(Int64.min)),
      ("L", Block.number(UInt64(5000)), 5000, "l", Block.number(Int64(-5000))),
      ("f", Block.number(Float(1.75).bitPattern), 1, "f", Block.number(Float(-1.75).bitPattern)),
      ("f", Block.number(Float(0.75).bitPattern), 0, "f", Block.number(Float(0.75).bitPattern)),
      ("d", Block.number(Double(1e10).bitPattern), 10_000_000_000, "d", Block.number(Double(-1e10).bitPattern)),
      ("d", Block.number((-Double.infinity).bitPattern), .min, "d", Block.number((-Double.infinity).bitPattern)),
      ("S", Block.long("5000"), 5000, "S", Block.long("-5000")),
      ("S", Block.long("+0050"), 50, "S", Block.long("-0050")),
      ("S", Block.long("-7"), -7, "S", Block.long("-7")),
      ("S", Block.long("-99999999999999999999"), .min, "S", Block.long("-99999999999999999999")),
      (
        "l", Block.number(Int64(253_402_300_799_999)), 253_402_300_799_999, "l",
        Block.number(-Int64(253_402_300_799_999))
      ),
    ] as [(Character, [UInt8], Int64, Character, [UInt8])])
  func aDelayIsReadAndNegated(
    type: Character, value: [UInt8], milliseconds: Int64, newType: Character, newValue: [UInt8]
  ) throws {
    let raw = try RawProperties(Block.headers(("x", "t", [1]), ("x-delay", type, value), ("y", "V", [])))
    #expect(raw.delay == .milliseconds(milliseconds))
    #expect(raw.delay.isDelayed == (milliseconds > 0))
    let expected = Block.headers(("x", "t", [1]), ("x-delay", newType, newValue), ("y", "V", []))
    #expect(raw.forwarded(.negatingDelay).bytes == expected)
  }

  @Test(
    arguments: [
      ("S", Block.long("abc")), ("S", Block.long("")), ("S", Block.long("+")), ("S", Block.long(" 5")),
      ("S", Block.long("5.0")), ("S", Block.counted([0xFF])), ("S", Block.long("٣")), ("x", Block.long("5")),
      ("t", [1]),
      ("V", []), ("D", [0, 0, 0, 0, 5]), ("T", Block.number(UInt64(5))), ("F", Block.table([])),
      ("A", Block.counted([])),
      ("d", Block.number(Double.nan.bitPattern)), ("d", Block.number(Double.infinity.bitPattern)),
      ("f", Block.number(Float(1e30).bitPattern)), ("L", Block.number(UInt64.max)),
      ("l", Block.number(Int64(253_402_300_800_000))), ("S", Block.long("99999999999999999999")),
    ] as [(Character, [UInt8])])
  func anythingElseIsUnreadableAndStays(type: Character, value: [UInt8]) throws {
    let raw = try RawProperties(Block.headers(("x-delay", type, value)))
    guard case .unreadable(let reason) = raw.delay else {
      Issue.record("\(raw.delay)")
      return
    }
    #expect(reason.contains("x-delay"))
    #expect(!raw.delay.isDelayed)
    #expect(raw.forwarded(.negatingDelay) == raw)
  }

  @Test func withoutTheHeaderThereIsNoDelay() throws {
    #expect(RawProperties.none.delay == .absent)
    #expect(try RawProperties(Block.headers()).delay == .absent)
    let nested = Block.headers(("t", "F", Block.table([("x-delay", "b", [1])])), ("X-Delay", "b", [1]))
    #expect(try RawProperties(nested).delay == .absent)
  }

  @Test func theFirstOfTwoDelaysCounts() throws {
    let raw = try RawProperties(Block.headers(("x-delay", "b", [1]), ("x-delay", "b", [2])))
    #expect(raw.delay == .milliseconds(1))
    #expect(raw.forwarded(.negatingDelay).bytes == Block.headers(("x-delay", "b", [0xFF]), ("x-delay", "b", [2])))
  }

  @Test func countsAreRemovedOnlyWhenAsked() throws {
    let block = Block.headers(
      ("a", "t", [1]), ("x-delivery-count", "l", Block.number(Int64(1))), ("b", "V", []),
      ("x-acquired-count", "l", Block.number(Int64(1))), ("x-delay", "b", [3]))
    let raw = try RawProperties(block)
    #expect(raw.forwarded([]) == raw)
    #expect(
      raw.forwarded(.withoutDeliveryCount).bytes
        == Block.headers(
          ("a", "t", [1]), ("b", "V", []), ("x-acquired-count", "l", Block.number(Int64(1))), ("x-delay", "b", [3])))
    #expect(
      raw.forwarded([.withoutDeliveryCount, .withoutAcquiredCount, .negatingDelay]).bytes
        == Block.headers(("a", "t", [1]), ("b", "V", []), ("x-delay", "b", [0xFD])))
    var server = ServerInfo(endpoint: "", user: "")
    server.version = "4.2.1"
    #expect(server.withoutCounts == .withoutDeliveryCount)
    server.version = "4.3.6"
    #expect(server.withoutCounts == [.withoutDeliveryCount, .withoutAcquiredCount])
  }

  /// A message without headers has some only since it was redelivered; one with empty headers keeps them.
  @Test func absentAndEmptyHeadersStayApart() throws {
    let counted = try RawProperties(Block.headers(("x-delivery-count", "l", Block.number(Int64(1)))))
    #expect(counted.forwarded(.withoutDeliveryCount) == .none)
    let empty = try RawProperties(Block.headers())
    #expect(empty.forwarded([.negatingDelay, .withoutDeliveryCount, .withoutUserID]) == empty)
  }

  @Test func theUserIsRemovedBetweenItsNeighbours() throws {
    let raw = try RawProperties(PropertyBlock.full)
    let removed = raw.forwarded(.withoutUserID)
    #expect(removed.userID == nil)
    #expect(removed[.type] == Array("type".utf8))
    #expect(removed[.appID] == Array("app".utf8))
    #expect(removed.bytes.count == PropertyBlock.full.count - 5)
    let alone = try RawProperties([0, 0x10] + Block.short("me"))
    #expect(alone.forwarded(.withoutUserID) == .none)
    #expect(RawProperties.none.forwarded(.withoutUserID) == .none)
  }

  /// All changes at once, with properties before, between and after.
  @Test func nothingElseChanges() throws {
    let before = Block.short("text/plain")
    let between = [2, 5] + Block.short("id")
    let after = Block.short("app")
    let raw = try RawProperties(
      [0xB8, 0x98] + before
        + Block.table([("x-delay", "B", [200]), ("n", "F", Block.table([("x-delay", "b", [1])]))]) + between
        + Block.short("someone") + after)
    #expect(
      raw.forwarded([.negatingDelay, .withoutUserID]).bytes
        == [0xB8, 0x88] + before
        + Block.table([
          ("x-delay", "l", Block.number(Int64(-200))), ("n", "F", Block.table([("x-delay", "b", [1])])),
        ]) + between + after)
  }
}
