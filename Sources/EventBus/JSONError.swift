/// Why a document is not accepted as JSON.
package struct JSONError: Error, Hashable, CustomStringConvertible {
  /// Without a full stop.
  package var reason: String
  /// In bytes from 0.
  package var offset: Int

  init(_ reason: String, at offset: Int) {
    self.reason = reason
    self.offset = offset
  }

  /// The reason and the byte, counted from 1.
  package var description: String { "\(reason) (byte \(offset + 1))" }
}
