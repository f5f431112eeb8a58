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
    starting + advancing + due + reading + listing + remembering + inbox + batches + sweeping + agreement
}

/// A store with everything that this project requires.
package typealias TestableStore = ScheduleStore & ScheduleQueries
package typealias StoreCheck = ConformanceCheck<any TestableStore>
package typealias StoreFixture = ConformanceFixture<any TestableStore>

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
      origin.userID, origin.traceparent, origin.tracestate, ending?.reason, definition.group, definition.description,
      control.pause?.reason,
    ]
    return texts.compactMap { $0 } + (definition.tags ?? []) + (definition.target?.texts ?? [])
  }
}

extension Target: HasTexts {
  var texts: [String] {
    let headers = (headers ?? []).flatMap { header in
      if case .text(let text) = header.value { [header.name, text] } else { [header.name] }
    }
    return [exchange, routingKey, detailType, source, contentType, expiration].compactMap { $0 } + headers
  }
}

extension RememberedCommand: HasTexts {
  var texts: [String] {
    if case .rejected(let field, let reason, _) = answer { [field, reason] } else { [] }
  }
}
