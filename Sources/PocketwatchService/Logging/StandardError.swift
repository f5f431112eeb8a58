import Glibc
import Synchronization

/// Standard error, a whole line at a time.
enum StandardError {
  private static let lock = Mutex(())

  static func write(_ line: String) {
    lock.withLock { _ in
      var line = line
      line.withUTF8 { bytes in
        var rest = UnsafeRawBufferPointer(bytes)
        while !rest.isEmpty {
          let written = Glibc.write(STDERR_FILENO, rest.baseAddress, rest.count)
          guard written > 0 else { return }  // nobody to tell
          rest = UnsafeRawBufferPointer(rebasing: rest[written...])
        }
      }
    }
  }
}
