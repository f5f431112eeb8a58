import Foundation
import Recurrence
import Synchronization
import Testing

struct ZoneDirectoryTests {
  private static let one = TZifBuilder(transitions: [(0, 0)], offsets: [3600]).bytes
  private static let two = TZifBuilder(transitions: [(0, 0)], offsets: [7200]).bytes

  @Test func readsAFileOnce() throws {
    let files = FakeZoneFiles(["Test/One": Self.one])
    let directory = ZoneDirectory(files: files)
    #expect(try directory.rules(named: "Test/One").offsetSeconds(at: Instant(milliseconds: 0)) == 3600)
    #expect(try directory.rules(named: "Test/One").name == "Test/One")
    #expect(files.reads == ["Test/One"])
  }

  @Test func knowsUTCWithoutFiles() throws {
    let files = FakeZoneFiles([:])
    #expect(try ZoneDirectory(files: files).rules(named: "UTC") == .utc)
    #expect(files.reads.isEmpty)
  }

  @Test(arguments: [
    "", "/", "/etc/passwd", "../etc/passwd", "Europe/../Rome", "Europe//Rome", "Europe/", "/Europe/Rome",
    "./Europe/Rome",
    "posix/Europe/Rome", "right/Europe/Rome", "localtime", "posixrules", "zone.tab", "tzdata.zi", "+VERSION",
    "Europe/Rome\0",
    "Europe/Rome ", "Европа/Рим", "-", "1", "Europe\\Rome", "A\(String(repeating: "a", count: 64))",
  ])
  func neverReadsFilesForInvalidNames(name: String) {
    let files = FakeZoneFiles([name: Self.one])
    let error = #expect(throws: ExpressionError.self) { try ZoneDirectory(files: files).rules(named: name) }
    #expect(error?.field == "timezone")
    #expect(files.reads.isEmpty)
  }

  @Test func reportsWhyThereAreNoRules() {
    let directory = ZoneDirectory(files: FakeZoneFiles(["Test/Bad": [1, 2, 3, 4]], unreadable: ["Test/Locked"]))
    for (name, message) in [
      (
        "Europe/rome",
        "timezone: 'Europe/rome' is not a time zone of this system; use a name such as Europe/Rome (case matters)"
      ),
      ("Test/Bad", "timezone: the zone file of 'Test/Bad' cannot be used: it is not a TZif file"),
      ("Test/Locked", "timezone: the zone file of 'Test/Locked' cannot be used: Permission denied"),
    ] {
      let error = #expect(throws: ExpressionError.self) { try directory.rules(named: name) }
      #expect(error?.description == message)
    }
  }

  @Test func noticesWhatChanges() throws {
    let files = FakeZoneFiles([
      "Test/Changed": Self.one, "Test/Gone": Self.one, "Test/Same": Self.one, "Test/Touched": Self.one,
      "Test/Broken": Self.one,
    ])
    let directory = ZoneDirectory(files: files)
    for name in ["Test/Changed", "Test/Gone", "Test/Same", "Test/Touched", "Test/Broken"] {
      _ = try directory.rules(named: name)
    }
    #expect(directory.refresh() == ZoneDirectory.Changes())
    #expect(files.reads.count == 5)

    files.write(Self.two, to: "Test/Changed")
    files.write(Self.one, to: "Test/Touched")
    files.write([0], to: "Test/Broken")
    files.remove("Test/Gone")
    let changes = directory.refresh()
    #expect(changes.changed == ["Test/Changed"])
    #expect(changes.gone == ["Test/Gone"])
    #expect(changes.unusable.map(\.reason) == ["the zone file of 'Test/Broken' cannot be used: it is truncated"])
    #expect(!files.reads.dropFirst(5).contains("Test/Same"))

    let now = Instant(milliseconds: 1000)
    #expect(try directory.rules(named: "Test/Changed").offsetSeconds(at: now) == 7200)
    #expect(try directory.rules(named: "Test/Broken").offsetSeconds(at: now) == 3600)
    #expect(throws: ExpressionError.self) { try directory.rules(named: "Test/Gone") }
    files.write(Self.two, to: "Test/Broken")
    #expect(directory.refresh().changed == ["Test/Broken"])
  }

  @Test(
    arguments: [
      (["+VERSION": "2026a\n", "tzdata.zi": "# version 2025b\n# more"], "2026a"),
      (["tzdata.zi": "# version 2025b\n# more"], "2025b"), (["tzdata.zi": "no version"], nil), ([:], nil),
    ] as [([String: String], String?)])
  func knowsTheVersion(texts: [String: String], version: String?) {
    #expect(ZoneDirectory(files: FakeZoneFiles(texts.mapValues { Array($0.utf8) })).version == version)
  }

  /// In a separate folder, with files that are not zones.
  @Test func readsOnlyFilesOfItsFolder() throws {
    let root = FileManager.default.temporaryDirectory.appendingPathComponent("zones-\(UUID().uuidString)")
    defer { try? FileManager.default.removeItem(at: root) }
    let folder = root.appendingPathComponent("zoneinfo")
    try FileManager.default.createDirectory(
      at: folder.appendingPathComponent("Test"), withIntermediateDirectories: true)
    try Data(Self.one).write(to: folder.appendingPathComponent("Test/One"))
    try Data(Self.one).write(to: root.appendingPathComponent("Outside"))
    for (link, target) in [
      ("Inside", "Test/One"), ("Outside", "../Outside"), ("Loop", "Loop"), ("Nowhere", "Test/Two"),
    ] {
      let path = folder.appendingPathComponent(link).path
      try FileManager.default.createSymbolicLink(atPath: path, withDestinationPath: target)
    }
    #expect(mkfifo(folder.appendingPathComponent("Pipe").path, 0o600) == 0)
    try Data(count: 2 << 20).write(to: folder.appendingPathComponent("Large"))

    let directory = ZoneDirectory(files: SystemZoneFiles(folder: folder.path))
    #expect(try directory.rules(named: "Test/One").offsetSeconds(at: Instant(milliseconds: 0)) == 3600)
    #expect(try directory.rules(named: "Inside").offsetSeconds(at: Instant(milliseconds: 0)) == 3600)
    for name in ["Outside", "Loop", "Nowhere", "Pipe", "Large", "Test"] {
      #expect(throws: ExpressionError.self) { try directory.rules(named: name) }
    }
    try Data(Self.two).write(to: folder.appendingPathComponent("Test/One"), options: .atomic)
    #expect(directory.refresh().changed == ["Inside", "Test/One"])
  }
}

extension ZoneDirectoryTests {
  /// As on a slim image, or while the folder is being replaced: no zone counts as removed.
  @Test func reportsAMissingFolder() {
    let directory = ZoneDirectory(files: SystemZoneFiles(folder: "/nonexistent"))
    let error = #expect(throws: ExpressionError.self) { try directory.rules(named: "Europe/Rome") }
    #expect(
      error?.reason.hasSuffix("the folder /nonexistent is missing; install tzdata") == true)
    #expect(directory.version == nil)
  }
}

/// Zone files in memory, with a count of reads.
private final class FakeZoneFiles: ZoneFiles {
  private struct State {
    var files: [String: ZoneFile] = [:]
    var reads: [String] = []
    var writes: Int64 = 0
  }

  private let state = Mutex(State())
  private let unreadable: Set<String>

  init(_ files: [String: [UInt8]], unreadable: Set<String> = []) {
    self.unreadable = unreadable
    for (path, bytes) in files { write(bytes, to: path) }
  }

  var reads: [String] { state.withLock { $0.reads } }

  func write(_ bytes: [UInt8], to path: String) {
    state.withLock {
      $0.writes += 1
      let stamp = ZoneFileStamp(device: 1, inode: 1, size: Int64(bytes.count), modifiedNanoseconds: $0.writes)
      $0.files[path] = ZoneFile(bytes: bytes, stamp: stamp)
    }
  }

  func remove(_ path: String) {
    state.withLock { $0.files[path] = nil }
  }

  func read(_ path: String) throws(ZoneFileError) -> ZoneFile {
    state.withLock { $0.reads.append(path) }
    return try file(path)
  }

  func stamp(of path: String) throws(ZoneFileError) -> ZoneFileStamp {
    try file(path).stamp
  }

  private func file(_ path: String) throws(ZoneFileError) -> ZoneFile {
    if unreadable.contains(path) { throw .unreadable("Permission denied") }
    guard let file = state.withLock({ $0.files[path] }) else { throw .absent }
    return file
  }
}
