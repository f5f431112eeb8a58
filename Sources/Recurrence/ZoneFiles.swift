/// The source of zone files, the only external input of Recurrence. Tests replace it.
package protocol ZoneFiles: Sendable {
  /// The content of a file and its stamp at the same moment. `path` is relative to the folder of zone files.
  func read(_ path: String) throws(ZoneFileError) -> ZoneFile

  /// The stamp alone, without reading the file.
  func stamp(of path: String) throws(ZoneFileError) -> ZoneFileStamp
}

/// A zone file's content and stamp.
package struct ZoneFile: Sendable {
  package let bytes: [UInt8]
  package let stamp: ZoneFileStamp

  package init(bytes: [UInt8], stamp: ZoneFileStamp) {
    self.bytes = bytes
    self.stamp = stamp
  }
}

/// Identifies a version of a file. Equal stamps mean that it has not changed.
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
  /// There is no such file: nothing, a folder, or a link that leads out of the folder.
  case absent
  /// Reading failed, for the given reason. A retry may succeed.
  case unreadable(String)
}
