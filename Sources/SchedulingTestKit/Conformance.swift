/// One rule of a store, and its check. Each requires an empty store.
package struct ConformanceCheck<Store>: Sendable, CustomStringConvertible {
  package let description: String
  package let run: @Sendable (ConformanceFixture<Store>) throws -> Void

  init(_ description: String, _ run: @escaping @Sendable (ConformanceFixture<Store>) throws -> Void) {
    self.description = description
    self.run = run
  }
}

/// An empty store, and how to close and open it again.
package final class ConformanceFixture<Store> {
  package private(set) var store: Store
  private let reopening: (Store) throws -> Store

  /// Without `reopening`, reopening does nothing: for a store in memory.
  package init(_ store: Store, reopening: @escaping (Store) throws -> Store = { $0 }) {
    self.store = store
    self.reopening = reopening
  }

  package func reopen() throws { store = try reopening(store) }
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
