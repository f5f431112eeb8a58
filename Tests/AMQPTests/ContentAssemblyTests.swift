import AMQP
import Testing

struct ContentAssemblyTests {
  private static let delivery = ContentAssembly.Opening.delivery(
    tag: 7, consumerTag: "c", redelivered: true, exchange: "e", routingKey: [1])
  private static let returned = ContentAssembly.Opening.returned(
    code: 312, text: "NO_ROUTE", exchange: "e", routingKey: [1])

  private func add(_ bytes: [UInt8], to content: inout ContentAssembly) throws -> Connection.Event? {
    try bytes.withUnsafeBytes { try content.addBody($0) }
  }

  private func finished(_ event: Connection.Event?) throws -> Delivery {
    guard case .delivery(let delivery) = event else { throw ContentAssembly.Violation(text: "not finished") }
    return delivery
  }

  @Test(arguments: [[[]], [[1, 2, 3]], [[1], [2], [3]], [[1, 2], [], [3]]] as [[[UInt8]]])
  func joinsBodyFrames(frames: [[UInt8]]) throws {
    var content = ContentAssembly(maximumBodyBytes: 3)
    for _ in 0..<2 {
      try content.open(Self.delivery)
      var event = try content.add(.init(Properties(), bodySize: UInt64(frames.joined().count)))
      for frame in frames where event == nil { event = try add(frame, to: &content) }
      let delivery = try finished(event)
      #expect(delivery.body == Array(frames.joined()))
      #expect(delivery.tag == 7)
      #expect(delivery.redelivered)
      #expect(!delivery.isOversized)
    }
  }

  @Test func keepsOnlyTheSizeOfALongBody() throws {
    var content = ContentAssembly(maximumBodyBytes: 3)
    try content.open(Self.delivery)
    #expect(try content.add(.init(Properties(), bodySize: 4)) == nil)
    #expect(try add([1, 2], to: &content) == nil)
    let delivery = try finished(add([3, 4], to: &content))
    #expect(delivery.body.isEmpty)
    #expect(delivery.bodySize == 4)
    #expect(delivery.isOversized)
  }

  /// A header may declare more than the available memory. Nothing is allocated for it.
  @Test func allocatesNothingForADeclaredSize() throws {
    var content = ContentAssembly(maximumBodyBytes: .max)
    try content.open(Self.returned)
    #expect(try content.add(.init(Properties(), bodySize: .max)) == nil)
    content.reset()
    content = ContentAssembly(maximumBodyBytes: 10)
    try content.open(Self.delivery)
    #expect(try content.add(.init(Properties(), bodySize: .max)) == nil)
    #expect(try add([1], to: &content) == nil)
  }

  @Test func dropsTheBodyOfAReturn() throws {
    var content = ContentAssembly(maximumBodyBytes: 3)
    try content.open(Self.returned)
    #expect(try content.add(.init(Properties(), bodySize: 2)) == nil)
    guard case .returned(let message) = try add([1, 2], to: &content) else {
      Issue.record("no return")
      return
    }
    #expect(message.code == 312)
  }

  @Test func rejectsFramesOutOfOrder() throws {
    var content = ContentAssembly(maximumBodyBytes: 3)
    #expect(throws: ContentAssembly.Violation.self) { try content.add(.init(Properties(), bodySize: 0)) }
    #expect(throws: ContentAssembly.Violation.self) { try add([1], to: &content) }
    try content.open(Self.delivery)
    #expect(throws: ContentAssembly.Violation.self) { try content.open(Self.delivery) }
    #expect(throws: ContentAssembly.Violation.self) { try add([1], to: &content) }
    _ = try content.add(.init(Properties(), bodySize: 1))
    #expect(throws: ContentAssembly.Violation.self) { try content.add(.init(Properties(), bodySize: 1)) }
    #expect(throws: ContentAssembly.Violation.self) { try add([1, 2], to: &content) }
    content.reset()
    try content.open(Self.delivery)
    #expect(try content.add(.init(Properties(), bodySize: 0)) != nil)
  }
}
