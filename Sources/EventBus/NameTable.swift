/// Looks up values by name, byte for byte: Swift's String comparison treats canonically equivalent texts as equal.
///
/// A linear search, for few short names: the length alone rules out most of them.
struct NameTable<Value: Sendable>: Sendable {
  private let entries: [(name: ArraySlice<UInt8>, value: Value)]

  init(_ entries: [(name: String, value: Value)]) {
    self.entries = entries.map { (Array($0.name.utf8)[...], $0.value) }
    assert(Set(self.entries.map(\.name)).count == entries.count, "a name has two values")
  }

  subscript(name: ArraySlice<UInt8>) -> Value? {
    // By index, so that no entry is copied.
    for index in entries.indices where entries[index].name == name { return entries[index].value }
    return nil
  }
}

extension NameTable where Value: CaseIterable & RawRepresentable<String> {
  /// All values by their raw values.
  init() {
    self.init(Value.allCases.map { ($0.rawValue, $0) })
  }
}
