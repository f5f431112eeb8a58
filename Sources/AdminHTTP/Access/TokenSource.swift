/// Where the token comes from.
package enum TokenSource: Hashable, Sendable {
  case fixed(AdminToken)
  /// A file, read for each request that shows a token or a session: a token that is changed or removed holds no longer.
  case file(TokenFile)

  /// Whether the service makes the token, because the operator configured none.
  package var isMade: Bool {
    if case .file(let file) = self { file.isMade } else { false }
  }

  /// The token as it is now, for a client on this machine.
  package func read() throws(TokenFileError) -> AdminToken {
    switch self {
    case .fixed(let token): token
    case .file(let file): try file.read()
    }
  }
}

/// The file that holds the token.
package struct TokenFile: Hashable, Sendable {
  package var path: String
  /// Whether it belongs to the service, which makes it where it is missing, unusable or open to others. One that an
  /// operator names is only read.
  package var isMade: Bool

  package init(path: String, isMade: Bool = false) {
    self.path = path
    self.isMade = isMade
  }

  /// The service's own file, beside its database.
  package static func beside(database: String) -> TokenFile { TokenFile(path: database + ".token", isMade: true) }
}

/// Why there is no token.
package struct TokenFileError: Error, Hashable, Sendable, CustomStringConvertible {
  package var path: String
  /// What is wrong with the file, such as `cannot be read: Permission denied`.
  package var reason: String

  package var description: String { "the file \(path) \(reason)" }
}
