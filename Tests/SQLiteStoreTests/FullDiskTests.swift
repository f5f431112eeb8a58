import Foundation
import Glibc
import SQLiteStore
import Scheduling
import SchedulingTestKit
import Testing

/// A full disk: a small tmpfs, which only root can mount.
@Suite("SQLiteStore on a full disk", .enabled(if: SmallDisk.canBeMade, "needs the right to mount a tmpfs"))
struct FullDiskTests {
  @Test("reports it, changes nothing, and continues once there is space")
  func full() throws {
    let disk = try SmallDisk(megabytes: 2)
    let store = try SQLiteStore(path: disk.path + "/schedules.sqlite")
    try store.apply([.start(.sample("kept", generation: 1))])
    let ballast = try disk.fill()

    let batch = (2...200).map {
      Change.start(.sample("\($0)", generation: $0, payload: Array(repeating: 1, count: 4000)))
    }
    for _ in 0..<2 {
      let error = #expect(throws: StoreError.self) { try store.apply(batch) }
      #expect(error?.kind == .full)
      #expect(error?.isPassing == true)
      #expect(try store.allByID(pageSize: 10).map(\.generation) == [1])
    }
    try FileManager.default.removeItem(atPath: ballast)
    try store.apply(batch)
    try store.close()
    #expect(try SQLiteStore(path: disk.path + "/schedules.sqlite").allByID(pageSize: 50).count == 200)
  }

  @Test("is not created there, and can be once there is space")
  func created() throws {
    let disk = try SmallDisk(megabytes: 1)
    let ballast = try disk.fill()
    let path = disk.path + "/schedules.sqlite"
    #expect(#expect(throws: StoreError.self) { try SQLiteStore(path: path) }?.kind == .full)
    try FileManager.default.removeItem(atPath: ballast)
    try SQLiteStore(path: path).apply([.start(.sample(generation: 1))])
  }
}

/// A tmpfs of a few megabytes, unmounted with the value.
final class SmallDisk {
  let directory: TemporaryDirectory
  var path: String { directory.path }

  static let canBeMade = (try? SmallDisk(megabytes: 1)) != nil

  init(megabytes: Int) throws {
    directory = try TemporaryDirectory()
    guard mount("tmpfs", directory.path, "tmpfs", 0, "size=\(megabytes)m") == 0 else { throw POSIXError(.EPERM) }
  }

  deinit {
    umount2(path, Int32(MNT_DETACH))
  }

  /// Fills it with one file and returns its path.
  func fill() throws -> String {
    let ballast = path + "/ballast"
    try Data().write(to: URL(fileURLWithPath: ballast))
    let handle = try FileHandle(forWritingTo: URL(fileURLWithPath: ballast))
    while (try? handle.write(contentsOf: Data(count: 4096))) != nil {}
    return ballast
  }
}
