import PocketwatchService
import Scheduling
import Testing

@Suite("Fronts and backs of delayed messages")
struct DelayMapTests {
  private let names = TopologyNames(stack: "s", eventBus: "bus")

  private func map(_ text: String) throws -> [MessageRoute] { try DelayMap(text, names: names).routes }

  @Test("pairs are read in their order, with blanks around them")
  func pairs() throws {
    #expect(try map("a.delayed=a") == [.init(front: "a.delayed", back: "a")])
    #expect(try map(" b = x y,\ta=z ") == [.init(front: "b", back: "x y"), .init(front: "a", back: "z")])
    #expect(try map("a=x, b=x").map(\.back) == ["x", "x"], "two fronts may have one back")
  }

  @Test("an object is a map, too, and may contain every character")
  func object() throws {
    let map = try DelayMap(["b,c": "d=e", "a": "f"], names: names)
    #expect(map.routes == [.init(front: "a", back: "f"), .init(front: "b,c", back: "d=e")])
  }

  @Test(
    "what must not be a front or a back is an error that names the setting",
    arguments: [
      ("a", #""a" is not front=back"#), ("a=b=c", #""a=b=c" is not front=back"#), ("a=b,", #""" is not front=back"#),
      ("", "is not front=back"), ("=b", "must have 1 to 245 bytes"), ("a=", "must have 1 to 255 bytes"),
      ("a=bus", #""bus" cannot be a back: it is the event bus"#), ("bus=b", #""bus" cannot be a front"#),
      ("a=amq.topic", "cannot be a back: names that begin with amq."), ("amq.topic=a", "cannot be a front"),
      ("a=s.dead", "cannot be a back: names that begin with s."), ("s.delayed.x=a", "cannot be a front"),
      ("a=a", #""a" is a front"#), ("a=b, b=c", #""b" is a front"#), ("a=b, a=c", #""a" has two backs"#),
      (String(repeating: "a", count: 246) + "=b", "1 to 245 bytes"),
      ("a=" + String(repeating: "é", count: 128), "1 to 255"),
    ])
  func refused(text: String, reason: String) {
    let error = #expect(throws: ConfigurationError.self) { try DelayMap(text, names: names) }
    #expect(error?.name == "POCKETWATCH_DELAYS (delays in the file)")
    #expect(error?.reason.contains(reason) == true, "\(error?.reason ?? "")")
    #expect(error.map { $0.reason.utf8.count < 200 } == true)
  }

  @Test("names that only resemble reserved ones are allowed")
  func resembling() throws {
    #expect(try map("s=amqx, sx.a=bus.x").count == 2)
  }

  @Test("the longest front has a queue whose name the broker accepts")
  func longest() throws {
    let front = String(repeating: "a", count: 245)
    #expect(try map(front + "=b").first.map { names.intakeQueue(of: $0.front).utf8.count } == 255)
  }

  /// Until the service takes delayed messages, a setting for them would silently have no effect.
  @Test("the service does not know the setting yet")
  func notYet() {
    #expect(throws: ConfigurationError.self) {
      try SettingReader(environment: ["POCKETWATCH_DELAYS": "a=b"], file: nil)
    }
  }
}
