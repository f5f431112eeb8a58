package import AdminHTTP
import Foundation
import SQLiteStore
import Scheduling
import ServiceLifecycle
import Synchronization

/// A copy of the database while the service runs, step by step on the engine's thread.
extension ServiceWatch {
  /// Between two steps of 2 ms: so the engine gives a fifth of its time to a copy at most, and all of it to what comes
  /// in between.
  private static let pause = Duration.milliseconds(8)

  package func backUp() async throws(AdminError) -> DatabaseCopy {
    guard let turn = backups.take() else {
      throw AdminError(.conflict, "another backup is being made; try again when it is done")
    }
    do throws(AdminError) {
      try await ask { store throws(StoreError) in try store.copyable.beginBackup() }
      while true {
        if let file = try await ask({ store throws(StoreError) in try store.copyable.continueBackup() }) {
          return DatabaseCopy(file: file, origin: origin, permit: turn)
        }
        try? await Task.sleep(for: Self.pause)  // cancelled or not is asked below
        if Task.isShuttingDownGracefully { throw AdminError(.unavailable, "the service is stopping") }
        if Task.isCancelled { throw AdminError(.unavailable, "whoever asked for the backup has gone") }
      }
    } catch {
      // Not waited for: what is asked later comes later.
      tell { ($0 as? any BackupStore)?.endBackup() }
      throw error
    }
  }
}

extension ServiceWatch {
  private var origin: DatabaseOrigin {
    let files = DatabaseFileNames(of: database).paths.compactMap { try? FileIdentity.of($0) }
    return DatabaseOrigin(
      stack: broker.names.stack, path: URL(filePath: database).path(percentEncoded: false),
      files: files.map { "\($0.device):\($0.inode)" })
  }
}

extension ScheduleQueries {
  fileprivate var copyable: any BackupStore {
    get throws(StoreError) {
      guard let store = self as? any BackupStore else { throw StoreError(.other, "It cannot be copied.") }
      return store
    }
  }
}

/// Whose turn it is to make a backup: one at a time, until the last who holds the turn lets go of it.
final class BackupTurns: Sendable {
  private final class Turn: Sendable {}

  private struct Current: Sendable {
    weak var turn: Turn?
  }

  private let current = Mutex(Current())

  /// Nil while somebody else has it.
  func take() -> (any AnyObject & Sendable)? {
    current.withLock { current in
      guard current.turn == nil else { return nil }
      let turn = Turn()
      current.turn = turn
      return turn
    }
  }
}
