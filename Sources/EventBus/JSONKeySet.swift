/// The keys of one object so far, to find one that comes twice. Compares bytes, not characters.
///
/// Keeps 128 bits of keyed hash (seeded anew in each process) in place of the key: an object of 30,000 keys then costs no
/// allocation for each, and that two different keys are taken for one is less likely than a fault of the machine.
struct JSONKeySet {
  private var digests: Set<Digest> = []

  /// Adds a key; false when it was there already.
  mutating func insert(_ key: ArraySlice<UInt8>) -> Bool {
    digests.insert(Digest(key)).inserted
  }

  private struct Digest: Hashable {
    let first: Int
    let second: Int

    init(_ key: ArraySlice<UInt8>) {
      first = Self.hash(of: key, variant: 0)
      second = Self.hash(of: key, variant: 1)
    }

    private static func hash(of key: ArraySlice<UInt8>, variant: UInt8) -> Int {
      var hasher = Hasher()
      hasher.combine(variant)
      key.withUnsafeBytes { hasher.combine(bytes: $0) }
      return hasher.finalize()
    }
  }
}
