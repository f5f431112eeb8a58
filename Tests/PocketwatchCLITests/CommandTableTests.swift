import ArgumentParser
import Foundation
import Testing

@testable import PocketwatchCLI

@Suite("ops/docs/operating.md: the command line")
struct CommandTableTests {
  @Test("lists each command, and no other")
  func commands() throws {
    let file = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../../ops/docs/operating.md")
    let text = try String(contentsOf: file, encoding: .utf8)
    let section = try #require(text.split(separator: "\n## The command line\n").last)
    let documented = section.split(separator: "\n").filter { $0.hasPrefix("| `") }
      .flatMap { $0.split(separator: "|")[0].matches(of: /`pocketwatch ([a-z]+)`/).map { String($0.output.1) } }
    let known = Pocketwatch.configuration.subcommands.map { String(describing: $0).lowercased() }
    #expect(documented.sorted() == known.sorted())
  }
}
