/// SipHash-2-4 with 128 bits of output, after Aumasson and Bernstein, "SipHash: a fast short-input PRF" (2012).
///
/// Its output is stored: the keys of remembered commands and the digests of definitions, under the database's secret. So the
/// function must never change, and it must be the same in every process, unlike Swift's `Hasher`. The secret prevents clients
/// from constructing collisions.
package struct SipHash {
  package struct Key: Hashable, Sendable {
    package var first: UInt64
    package var second: UInt64

    package init(_ first: UInt64, _ second: UInt64) {
      self.first = first
      self.second = second
    }
  }

  private var v0: UInt64
  private var v1: UInt64
  private var v2: UInt64
  private var v3: UInt64
  /// The bytes that do not fill a word yet, lowest first.
  private var partial: UInt64 = 0
  private var length: UInt64 = 0

  package init(key: Key) {
    v0 = key.first ^ 0x736f_6d65_7073_6575
    v1 = key.second ^ 0x646f_7261_6e64_6f6d ^ 0xee
    v2 = key.first ^ 0x6c79_6765_6e65_7261
    v3 = key.second ^ 0x7465_6462_7974_6573
  }

  package mutating func append(_ bytes: some Sequence<UInt8>) {
    for byte in bytes {
      partial |= UInt64(byte) << (8 * (length & 7))
      length &+= 1
      if length & 7 == 0 {
        compress(partial)
        partial = 0
      }
    }
  }

  /// The hash of what was appended, its first and its second eight bytes as little-endian numbers.
  package consuming func finish() -> (UInt64, UInt64) {
    compress(partial | (length & 0xff) << 56)
    v2 ^= 0xee
    for _ in 0..<4 { round() }
    let first = v0 ^ v1 ^ v2 ^ v3
    v1 ^= 0xdd
    for _ in 0..<4 { round() }
    return (first, v0 ^ v1 ^ v2 ^ v3)
  }

  private mutating func compress(_ word: UInt64) {
    v3 ^= word
    round()
    round()
    v0 ^= word
  }

  private mutating func round() {
    v0 &+= v1
    v1 = v1.rotated(13) ^ v0
    v0 = v0.rotated(32)
    v2 &+= v3
    v3 = v3.rotated(16) ^ v2
    v0 &+= v3
    v3 = v3.rotated(21) ^ v0
    v2 &+= v1
    v1 = v1.rotated(17) ^ v2
    v2 = v2.rotated(32)
  }
}

extension UInt64 {
  fileprivate func rotated(_ bits: UInt64) -> UInt64 {
    self << bits | self >> (64 - bits)
  }
}
