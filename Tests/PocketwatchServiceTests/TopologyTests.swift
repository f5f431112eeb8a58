import Foundation
import PocketwatchService
import Scheduling
import Testing

@Suite("Names and definitions of the topology")
struct TopologyTests {
  @Test("for the default names the definitions equal the repository's file byte for byte")
  func file() throws {
    let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent()
    let file = try Data(contentsOf: root.appending(path: "definitions.json"))
    #expect(Topology(names: TopologyNames()).definitions(virtualHost: "/") == String(decoding: file, as: UTF8.self))
  }

  @Test("other names are used everywhere, and quoted safely")
  func otherNames() throws {
    let text = Topology(names: TopologyNames(stack: "a-b", eventBus: #"b"us\"#)).definitions(virtualHost: #"v"1\"#)
    struct Document: Decodable {
      struct Entry: Decodable {
        var vhost, name, source, destination, pattern: String?
        var arguments: [String: Value]?
      }
      /// Only texts matter here.
      struct Value: Decodable {
        var text: String?
        init(from decoder: any Decoder) throws { text = try? decoder.singleValueContainer().decode(String.self) }
      }
      var vhosts, exchanges, queues, bindings, policies: [Entry]
    }
    let document = try JSONDecoder().decode(Document.self, from: Data(text.utf8))
    #expect(document.vhosts.map(\.name) == [#"v"1\"#])
    let entries = document.exchanges + document.queues + document.bindings + document.policies
    #expect(entries.allSatisfy { $0.vhost == #"v"1\"# })
    #expect(document.exchanges.map(\.name) == [#"b"us\"#, "a-b.dead", "a-b.replies"])
    #expect(document.queues.map(\.name) == ["a-b.commands", "a-b.dead"])
    #expect(document.queues[0].arguments?["x-dead-letter-exchange"]?.text == "a-b.dead")
    let keys = TopologyNames.commandKeys
    #expect(document.bindings.map(\.source) == keys.map { _ in #"b"us\"# } + ["a-b.dead"])
    #expect(document.bindings.map(\.destination) == keys.map { _ in "a-b.commands" } + ["a-b.dead"])
    #expect(document.policies.map(\.pattern) == [#"^a-b\.commands$"#, #"^a-b\.dead$"#])
    #expect(!text.contains("pocketwatch"))
  }

  @Test("the names of a stack begin with it")
  func names() {
    let names = TopologyNames(stack: "s", eventBus: "e")
    #expect([names.commandQueue, names.deadExchange, names.deadQueue] == ["s.commands", "s.dead", "s.dead"])
    #expect(names.replyExchange == "s.replies")
    #expect(TopologyNames() == TopologyNames(stack: "pocketwatch", eventBus: "events"))
  }

  @Test(
    "a stack is 1 to 40 of a-z, 0-9 and -",
    arguments: [
      ("a", true), ("pocketwatch-2", true), (String(repeating: "a", count: 40), true), ("-", true), ("", false),
      (String(repeating: "a", count: 41), false), ("A", false), ("a.b", false), ("a_b", false), ("é", false),
      ("a b", false),
      ("a\n", false), ("e\u{301}", false),
    ])
  func validStack(name: String, isValid: Bool) {
    #expect(TopologyNames.validStack(name) == (isValid ? name : nil))
  }
}
