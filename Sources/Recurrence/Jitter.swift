/// The delay of a tick after its slot. A function of the schedule's id and the slot, so that a restart does not change it.
package enum Jitter {
  /// Milliseconds from 0 through `maximum`, uniformly distributed; 0 if `maximum` is not positive.
  ///
  /// The result is not stored, so the function must never change: FNV-1a over the id's bytes and the slot's eight bytes
  /// (little-endian), with the finalizer of MurmurHash3, because the high bits of FNV-1a alone are poor.
  package static func milliseconds(id: some Sequence<UInt8>, slot: Instant, maximum: Int64) -> Int64 {
    guard maximum > 0 else { return 0 }
    var hash: UInt64 = 0xcbf2_9ce4_8422_2325
    for byte in id { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
    let slot = UInt64(bitPattern: slot.milliseconds)
    for shift in stride(from: 0, to: 64, by: 8) { hash = (hash ^ (slot >> shift & 0xff)) &* 0x100_0000_01b3 }
    hash = (hash ^ (hash >> 33)) &* 0xff51_afd7_ed55_8ccd
    hash = (hash ^ (hash >> 33)) &* 0xc4ce_b9fe_1a85_ec53
    hash ^= hash >> 33
    return Int64(hash.multipliedFullWidth(by: UInt64(maximum) + 1).high)
  }
}
