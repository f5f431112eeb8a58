import PocketwatchCLI
import PocketwatchService
import Testing

@Suite("pocketwatch definitions --delay")
struct DelayOptionTests {
  private let names = TopologyNames(stack: "s", eventBus: "bus")

  @Test("each front gets a queue, and is bound to it as its type allows")
  func topology() throws {
    let values = ["a=x:topic", "b=y:direct", "c=x:fanout", "d=z=1:2:headers"]
    let topology = try DelayOption.topology(values, names: names)
    #expect(topology.queues == ["s.delayed.a", "s.delayed.b", "s.delayed.c", "s.delayed.d"])
    #expect(
      topology.exchanges.map { "\($0.name) \($0.type) \($0.arguments.count)" }
        == ["a topic 0", "s.delayed.b fanout 0", "b direct 1", "c fanout 0", "d headers 0"])
    #expect(
      topology.bindings.map { "\($0.exchange) \($0.queue) \($0.key)" }
        == ["a s.delayed.a #", "s.delayed.b s.delayed.b ", "c s.delayed.c ", "d s.delayed.d "])
    #expect(topology.rights.write == #"^(bus|s\.dead|s\.replies|x|y|z=1:2)$"#)
    #expect(topology.rights.read == #"^(s\.commands$|s\.delayed\.)"#)
    #expect(topology.policy.pattern == #"^s\.delayed\."#)
    #expect(topology.policy.definition.map(\.value) == [1_000_000, 4_294_967_296])
  }

  @Test(
    "anything else is an error",
    arguments: ["a=b", "a:topic", "a=b:x-delayed-message", "a=b:Topic", "=b:topic", "a=:topic", "a=bus:topic", ""])
  func refused(value: String) {
    #expect("\(value)") {
      try DelayOption.topology([value], names: names)
    } throws: { error in
      "\(error)".contains("--delay")
    }
  }
}
