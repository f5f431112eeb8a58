package import Scheduling

/// The behaviour required of every `ScheduleStore`, as checks that any test target can run against its own.
///
///     @Test(arguments: StoreConformance.checks)
///     func conforms(_ check: StoreCheck) throws {
///       try check.run(StoreFixture(MemoryStore()))
///     }
///
/// A new rule for stores is added here, never in the tests of one of them.
package enum StoreConformance {
  package static let checks =
    starting + advancing + due + reading + listing + remembering + inbox + sweeping + agreement
}

/// One rule, and its check. Each requires an empty store.
package struct StoreCheck: Sendable, CustomStringConvertible {
  package let name: String
  package let run: @Sendable (StoreFixture) throws -> Void

  init(_ name: String, _ run: @escaping @Sendable (StoreFixture) throws -> Void) {
    self.name = name
    self.run = run
  }

  package var description: String { name }
}

/// A store with everything that this project requires.
package typealias TestableStore = ScheduleStore & ScheduleQueries

/// An empty store, and how to close and open it again.
package final class StoreFixture {
  package private(set) var store: any TestableStore
  private let reopening: (any TestableStore) throws -> any TestableStore

  /// Without `reopening`, reopening does nothing: for a store in memory.
  package init(
    _ store: any TestableStore, reopening: @escaping (any TestableStore) throws -> any TestableStore = { $0 }
  ) {
    self.store = store
    self.reopening = reopening
  }

  package func reopen() throws {
    store = try reopening(store)
  }
}

/// A rule that a store breaks, and where it was checked.
package struct ConformanceFailure: Error, CustomStringConvertible {
  package var description: String
}

func expect(
  _ condition: Bool, _ rule: @autoclosure () -> String, file: StaticString = #fileID, line: UInt = #line
) throws {
  guard condition else { throw ConformanceFailure(description: "\(file):\(line): \(rule())") }
}

func expectEqual<Value: Equatable>(
  _ actual: Value, _ expected: Value, _ what: String, file: StaticString = #fileID, line: UInt = #line
) throws {
  try expect(actual == expected, "\(what): is \(actual), should be \(expected)", file: file, line: line)
}

/// Also compares text byte by byte: Swift's `==` treats a composed and a decomposed "é" as equal.
func expectSame<Value: Equatable & HasTexts>(
  _ actual: [Value?], _ expected: [Value?], _ what: String, file: StaticString = #fileID, line: UInt = #line
) throws {
  try expectEqual(actual, expected, what, file: file, line: line)
  try expectEqual(
    actual.map { $0?.texts.map { Array($0.utf8) } }, expected.map { $0?.texts.map { Array($0.utf8) } },
    "\(what), bytes of its texts", file: file, line: line)
}

/// A value with free text that a client sent.
protocol HasTexts {
  var texts: [String] { get }
}

extension Schedule: HasTexts {
  var texts: [String] {
    let texts = [
      origin.traceparent, origin.tracestate, ending?.reason, definition.group, definition.description,
      control.pause?.reason,
    ]
    return texts.compactMap { $0 } + (definition.tags ?? [])
  }
}

extension RememberedCommand: HasTexts {
  var texts: [String] {
    if case .rejected(let field, let reason, _) = answer { [field, reason] } else { [] }
  }
}
