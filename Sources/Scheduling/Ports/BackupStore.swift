/// A store that can be copied while it is in use, in small steps.
///
/// The copy includes changes made meanwhile. One copy is made at a time, on the thread that uses the store.
package protocol BackupStore: AnyObject {
  /// Begins a copy, and ends one that is in progress.
  func beginBackup() throws(StoreError)
  /// Continues for a few milliseconds; nil until the copy is complete. An error ends the copy.
  func continueBackup() throws(StoreError) -> (any BackupFile)?
  /// Ends the copy that is in progress, if any.
  func endBackup()
}

/// A copy of a store: an unlinked file that is gone when its last reference is released.
package protocol BackupFile: AnyObject, Sendable {
  /// In bytes.
  var size: Int { get }
  /// Reads this many bytes from an offset, fewer at the end. Blocks.
  func read(at offset: Int, count: Int) throws(StoreError) -> [UInt8]
}
