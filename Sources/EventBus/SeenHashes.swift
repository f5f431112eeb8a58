/// A set of hashes. The first few are searched linearly, which is faster than a hash table.
struct SeenHashes {
  private static let few = 24  // more than the keys of most commands

  private var first: [Int] = []
  private var rest: Set<Int> = []

  /// Returns whether the hash is new.
  mutating func insert(_ hash: Int) -> Bool {
    guard !first.contains(hash) else { return false }
    if first.count < Self.few {
      if first.isEmpty { first.reserveCapacity(Self.few) }
      first.append(hash)
      return true
    }
    return rest.insert(hash).inserted
  }
}
