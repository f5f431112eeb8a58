package import Foundation

extension TokenFile {
  /// More than a token and its newline.
  private static let maximumBytes = 4096

  /// The owning user.
  package var owner: uid_t? {
    var status = stat()
    return stat(path, &status) == 0 ? status.st_uid : nil
  }

  package func read() throws(TokenFileError) -> AdminToken { try read(isForService: false) }

  /// The token as the service uses it. Its own file is created when it is missing, and replaced when others could read
  /// or write it, or when it holds no valid token.
  ///
  /// - Parameter onReplacement: Called with the reason after a token was created.
  func readOrCreate(onReplacement: (String) -> Void) throws(TokenFileError) -> AdminToken {
    guard isMade else { return try read(isForService: true) }
    let reason: String
    do throws(TokenFileError) {
      return try read(isForService: true)
    } catch {
      reason = error.reason
    }
    try create()
    onReplacement(reason)
    return try read(isForService: true)
  }

  private func read(isForService: Bool) throws(TokenFileError) -> AdminToken {
    // O_NOFOLLOW: a link in the place of the service's file could choose its token. O_NONBLOCK: do not wait for a pipe.
    let file = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | (isMade ? O_NOFOLLOW : 0))
    guard file >= 0 else {
      throw error(errno == ENOENT ? "is missing" : "cannot be read: \(String(cString: strerror(errno)))")
    }
    defer { close(file) }
    var status = stat()
    guard fstat(file, &status) == 0, status.st_mode & S_IFMT == S_IFREG else { throw error("is not a regular file") }
    if isMade, isForService {
      guard status.st_uid == geteuid() else { throw error("belongs to another user") }
      guard status.st_mode & 0o077 == 0 else { throw error("is accessible to other users") }
    }
    var bytes = [UInt8](repeating: 0, count: Self.maximumBytes)
    let count = Foundation.read(file, &bytes, bytes.count)
    guard count >= 0 else { throw error("cannot be read: \(String(cString: strerror(errno)))") }
    let text = String(decoding: bytes.prefix(count), as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines)
    guard let token = AdminToken(text) else {
      throw error("does not hold one token of \(AdminToken.minimumLength) visible ASCII characters or more")
    }
    return token
  }

  /// Replaces the file atomically, so that a reader never sees a partial token.
  private func create() throws(TokenFileError) {
    let draft = "\(path).\(getpid())"
    unlink(draft)
    let file = open(draft, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0o600)
    guard file >= 0 else { throw failure() }
    let bytes = Array((randomSecret() + "\n").utf8)
    let isWritten = write(file, bytes, bytes.count) == bytes.count && fsync(file) == 0
    let code = errno
    close(file)
    guard isWritten, rename(draft, path) == 0 else {
      let problem = isWritten ? failure() : failure(code)
      unlink(draft)
      throw problem
    }
  }

  private func failure(_ code: CInt = errno) -> TokenFileError {
    error("cannot be created: \(String(cString: strerror(code)))")
  }

  private func error(_ reason: String) -> TokenFileError { TokenFileError(path: path, reason: reason) }
}
