/// A fixed token or a token file.
package enum TokenSource: Hashable, Sendable {
  case fixed(AdminToken)
  /// A file, read at each request with a token or session, so that changing or removing it takes effect at once.
  case file(TokenFile)

  /// Whether the service creates the token, because the operator configured none.
  package var isMade: Bool {
    if case .file(let file) = self { file.isMade } else { false }
  }

  /// The current token, for a client on this machine.
  package func read() throws(TokenFileError) -> AdminToken {
    switch self {
    case .fixed(let token): token
    case .file(let file): try file.read()
    }
  }
}

/// The token file.
package struct TokenFile: Hashable, Sendable {
  package var path: String
  /// Whether the service owns it, and creates it when it is missing, unusable or accessible to others. A file that the
  /// operator configured is only read.
  package var isMade: Bool

  package init(path: String, isMade: Bool = false) {
    self.path = path
    self.isMade = isMade
  }

  /// The service's own file, next to its database.
  package static func beside(database: String) -> TokenFile { TokenFile(path: database + ".token", isMade: true) }
}

/// Why the token cannot be read or created.
package struct TokenFileError: Error, Hashable, Sendable, CustomStringConvertible {
  package var path: String
  /// Completes "the file …", such as `cannot be read: Permission denied`.
  package var reason: String

  package var description: String { "the file \(path) \(reason)" }
}
