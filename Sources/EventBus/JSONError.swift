/// Why bytes are no JSON that is accepted here.
package struct JSONError: Error, Hashable, CustomStringConvertible {
  /// What is wrong, without a full stop.
  package var reason: String
  /// Where, counted in bytes from 0.
  package var offset: Int

  init(_ reason: String, at offset: Int) {
    self.reason = reason
    self.offset = offset
  }

  /// The reason and the place, counted from 1 as people do.
  package var description: String { "\(reason) (byte \(offset + 1))" }
}
