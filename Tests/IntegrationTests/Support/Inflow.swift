import Synchronization

/// Values from another thread, kept in order, and a way to wait for one.
final class Inflow<Element: Sendable>: Sendable {
  /// The awaited value did not come. Lists what came instead.
  struct Missing: Error, CustomStringConvertible {
    let description: String
  }

  private struct Waiter {
    let matches: @Sendable (Element) -> Bool
    let continuation: CheckedContinuation<Element?, Never>
  }

  private struct State {
    var all: [Element] = []
    /// Positions in `all` of values that are not taken.
    var untaken: [Int] = []
    var waiters: [(number: Int, waiter: Waiter)] = []
    var lastNumber = 0
  }

  private let state = Mutex(State())

  /// All values so far.
  var all: [Element] { state.withLock { $0.all } }

  /// Adds a value and hands it to the first waiter that it matches.
  func append(_ element: Element) {
    let waiter = state.withLock { state -> Waiter? in
      state.all.append(element)
      guard let index = state.waiters.firstIndex(where: { $0.waiter.matches(element) }) else {
        state.untaken.append(state.all.count - 1)
        return nil
      }
      return state.waiters.remove(at: index).waiter
    }
    waiter?.continuation.resume(returning: element)
  }

  /// Takes the first matching value that is not taken, as soon as there is one.
  ///
  /// - Parameter what: The awaited value in words, for the error.
  func next(
    _ what: String, within limit: Duration = .seconds(60),
    where matches: @escaping @Sendable (Element) -> Bool = { _ in true }
  ) async throws -> Element {
    let number = state.withLock { state in
      state.lastNumber += 1
      return state.lastNumber
    }
    let timeout = Task {
      try await Task.sleep(for: limit)
      giveUp(number)
    }
    defer { timeout.cancel() }
    let element = await withCheckedContinuation { continuation in
      if let element = take(Waiter(matches: matches, continuation: continuation), number) {
        continuation.resume(returning: element)
      }
    }
    guard let element else {
      let last = all.suffix(8).map { "\n  \($0)" }.joined()
      throw Missing(description: "\(what) did not come within \(limit). The last of what came:\(last)")
    }
    return element
  }

  /// A value that is there already; else the waiter is added.
  private func take(_ waiter: Waiter, _ number: Int) -> Element? {
    state.withLock { state in
      guard let index = state.untaken.firstIndex(where: { [all = state.all] in waiter.matches(all[$0]) }) else {
        state.waiters.append((number, waiter))
        return nil
      }
      return state.all[state.untaken.remove(at: index)]
    }
  }

  private func giveUp(_ number: Int) {
    let waiter = state.withLock { state -> Waiter? in
      state.waiters.firstIndex { $0.number == number }.map { state.waiters.remove(at: $0).waiter }
    }
    waiter?.continuation.resume(returning: nil)
  }
}
