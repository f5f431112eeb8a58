/// The logins that may send commands by group or prefix.
package struct Operators: Hashable, Sendable {
  /// Nil if every client may.
  private let users: Set<String>?

  package static let everyone = Operators(users: nil)

  private init(users: Set<String>?) { self.users = users }

  /// - Parameter users: Logins, as the broker knows them.
  package init(_ users: some Sequence<String>) { self.init(users: Set(users)) }

  /// - Parameter user: The message's `user_id`, which the broker accepts only if it is the sender's; nil without one.
  func includes(_ user: String?) -> Bool {
    guard let users else { return true }
    // By bytes: for Swift a composed and a decomposed character are equal, for the broker they are two logins.
    return user.map { user in users.contains { $0.utf8.elementsEqual(user.utf8) } } ?? false
  }
}
