package import AdminHTTP
import Foundation
import SQLiteStore
import Scheduling
import ServiceLifecycle
import Synchronization

/// A backup while the service runs, made in steps on the engine's thread.
extension ServiceWatch {
  /// Between two steps of 2 ms, so that a backup takes at most a fifth of the engine's time.
  private static let pause = Duration.milliseconds(8)

  package func backUp() async throws(AdminError) -> DatabaseCopy {
    guard let permit = backups.take() else {
      throw AdminError(.conflict, "another backup is in progress; try again later")
    }
    do throws(AdminError) {
      try await ask { store throws(StoreError) in try store.copyable.beginBackup() }
      while true {
        if let file = try await ask({ store throws(StoreError) in try store.copyable.continueBackup() }) {
          return DatabaseCopy(file: file, origin: origin, permit: permit)
        }
        try? await Task.sleep(for: Self.pause)  // cancellation is checked below
        if Task.isShuttingDownGracefully { throw AdminError(.unavailable, "the service is stopping") }
        if Task.isCancelled { throw AdminError(.unavailable, "the client of the backup disconnected") }
      }
    } catch {
      // Not awaited: later questions come after it anyway.
      enqueue { ($0 as? any BackupStore)?.endBackup() }
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
      guard let store = self as? any BackupStore else {
        throw StoreError(.other, "This store does not support backups.")
      }
      return store
    }
  }
}

/// Permits one backup at a time. A permit is valid until its last reference is released.
final class BackupPermits: Sendable {
  private final class Permit: Sendable {}

  private struct Current: Sendable {
    weak var permit: Permit?
  }

  private let current = Mutex(Current())

  /// Nil while another backup has the permit.
  func take() -> (any AnyObject & Sendable)? {
    current.withLock { current in
      guard current.permit == nil else { return nil }
      let permit = Permit()
      current.permit = permit
      return permit
    }
  }
}
