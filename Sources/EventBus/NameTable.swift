/// Finds what a name stands for. Compares bytes: Swift holds texts for equal that differ byte for byte.
///
/// For a few short names: most are told apart by their length alone.
struct NameTable<Value: Sendable>: Sendable {
  private let entries: [(name: ArraySlice<UInt8>, value: Value)]

  init(_ entries: [(name: String, value: Value)]) {
    self.entries = entries.map { (Array($0.name.utf8)[...], $0.value) }
  }

  subscript(name: ArraySlice<UInt8>) -> Value? {
    // By index, so that what is passed over is not copied.
    for index in entries.indices where entries[index].name == name { return entries[index].value }
    return nil
  }
}

extension NameTable where Value: CaseIterable & RawRepresentable<String> {
  /// All values under the names that they have.
  init() {
    self.init(Value.allCases.map { ($0.rawValue, $0) })
  }
}
