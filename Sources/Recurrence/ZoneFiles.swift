/// Where zone files come from: the one thing Recurrence reads from outside. A port, so that tests need no disk.
package protocol ZoneFiles: Sendable {
  /// The content of a file and its stamp, both of the same moment; `path` is relative to the folder of zone files.
  func read(_ path: String) throws(ZoneFileError) -> ZoneFile

  /// The stamp alone, without reading the file.
  func stamp(of path: String) throws(ZoneFileError) -> ZoneFileStamp
}

/// A zone file as it was read.
package struct ZoneFile: Sendable {
  package let bytes: [UInt8]
  package let stamp: ZoneFileStamp

  package init(bytes: [UInt8], stamp: ZoneFileStamp) {
    self.bytes = bytes
    self.stamp = stamp
  }
}

/// What tells one state of a file from another; equal stamps mean that the file has not changed.
package struct ZoneFileStamp: Hashable, Sendable {
  package let device: UInt64
  package let inode: UInt64
  package let size: Int64
  package let modifiedNanoseconds: Int64

  package init(device: UInt64, inode: UInt64, size: Int64, modifiedNanoseconds: Int64) {
    self.device = device
    self.inode = inode
    self.size = size
    self.modifiedNanoseconds = modifiedNanoseconds
  }
}

/// Why a zone file was not read.
package enum ZoneFileError: Error, Hashable, Sendable {
  /// There is none of this name, or it is nothing to read: a folder, a link that leads out of the folder.
  case absent
  /// There may be one, but reading failed; the text says why, and trying again later can help.
  case unreadable(String)
}
