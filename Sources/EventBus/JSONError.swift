/// Why bytes are no JSON that is accepted here.
struct JSONError: Error, Hashable, CustomStringConvertible {
  /// What is wrong, without a full stop.
  var reason: String
  /// Where, counted in bytes from 0.
  var offset: Int

  init(_ reason: String, at offset: Int) {
    self.reason = reason
    self.offset = offset
  }

  /// The reason and the place, counted from 1 as people do.
  var description: String { "\(reason) (byte \(offset + 1))" }
}
