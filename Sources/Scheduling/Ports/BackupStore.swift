/// A store of which a copy can be made while it is in use, a little at a time.
///
/// What is changed while the copy is made is in it. One copy is made at a time; called by the thread that uses the
/// store.
package protocol BackupStore: AnyObject {
  /// Begins a copy. One that was being made ends.
  func beginBackup() throws(StoreError)
  /// Goes on for a few milliseconds; nil until the copy is whole. After an error there is no copy any more.
  func continueBackup() throws(StoreError) -> (any BackupFile)?
  /// Ends the copy that is being made, if any.
  func endBackup()
}

/// A copy of a store: a file without a name, gone with the last who holds it.
package protocol BackupFile: AnyObject, Sendable {
  /// In bytes.
  var size: Int { get }
  /// So many bytes from an offset, fewer at the end. Blocks.
  func read(at offset: Int, count: Int) throws(StoreError) -> [UInt8]
}
