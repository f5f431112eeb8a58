/// Hashes, each once. Few are looked through one by one, which is faster than to hash them again.
struct SeenHashes {
  private static let few = 24  // more than the keys of a usual command

  private var first: [Int] = []
  private var rest: Set<Int> = []

  /// Says whether it was not there yet.
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
