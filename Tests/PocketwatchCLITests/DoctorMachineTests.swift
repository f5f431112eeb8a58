import Foundation
import PocketwatchService
import Testing

@testable import PocketwatchCLI

@Suite("Doctor: findings on machine and service")
struct DoctorMachineTests {
  @Test(
    "the longest mount point counts; of equal ones, the later",
    arguments: [
      ("/", "ext4"), ("/srv", "nfs4"), ("/srv/local", "xfs"), ("/srv/localhost", "nfs4"), ("/my disk/x", "fuse.sshfs"),
      ("/tmp", "tmpfs"), ("/tmpfiles", "ext4"),
    ])
  func fileSystems(folder: String, kind: String) {
    let mounts = """
      /dev/vda / ext4 rw 0 0
      host:/a /srv nfs4 rw 0 0
      /dev/vdb /srv/local xfs rw 0 0
      me@host: /my\\040disk fuse.sshfs rw 0 0
      /dev/vdc /tmp ext4 rw 0 0
      tmpfs /tmp tmpfs rw 0 0
      broken

      """
    #expect(FileSystemKind(of: folder, mounts: mounts)?.name == kind)
    #expect(FileSystemKind(of: folder, mounts: "") == nil)
    #expect(FileSystemKind(of: "/proc/self", mounts: FileSystemKind.mounts)?.name == "proc")
  }

  @Test(
    "an unreliable file system is a warning",
    arguments: [
      ("ext4", Finding.Level.ok), ("xfs", .ok), ("nfs4", .warning), ("fuse.sshfs", .warning), ("cifs", .warning),
      ("tmpfs", .warning), ("overlay", .warning),
    ])
  func trust(kind: String, level: Finding.Level) {
    #expect(FileSystemKind(of: "/", mounts: "x / \(kind) rw 0 0")?.finding("/f").level == level)
  }

  @Test("free space is required for the service and for a backup")
  func space() {
    func level(_ free: Int, _ size: Int) -> Finding.Level {
      DatabaseCheck.space(free: free << 20, size: size << 20, folder: "/f").level
    }
    #expect(level(31, 0) == .error && level(32, 0) == .ok)
    #expect(level(100, 69) == .warning && level(101, 69) == .ok)
  }

  @Test("clocks are compared with the precision of the Date header")
  func clocks() {
    func levels(_ synchronization: SystemClock.Synchronization, _ offset: Double?) -> [Finding.Level] {
      ClockCheck.findings(synchronization, offset: offset).map(\.level)
    }
    #expect(levels(.within(milliseconds: 3), nil) == [.ok, .ok])
    #expect(levels(.none, 0.9) == [.warning, .ok])
    #expect(levels(.unknown, -3) == [.warning])
    #expect(levels(.unknown, 61) == [.error])
    let message = ClockCheck.findings(.unknown, offset: -3).first?.message
    #expect(message == "this clock is 3 s behind the broker's")
    #expect(ClockCheck.seconds(ofHTTPDate: "Thu, 26 Nov 2026 02:55:11 GMT") == 1_795_661_711)
    #expect(ClockCheck.seconds(ofHTTPDate: "yesterday") == nil)
  }

  @Test("zone data may be one year old")
  func zones() {
    func level(_ version: String?, _ canBeRead: Bool = true) -> Finding.Level? {
      ZoneCheck.findings(version: version, canBeRead: canBeRead, year: 2026).first?.level
    }
    #expect(level("2026a") == .ok && level("2025c") == .ok)
    #expect(level("2024b") == .warning && level(nil) == .warning)
    #expect(level("2026a", false) == .error)
  }

  private func findings(
    health: (Int, String)?, ready: (Int, String) = (200, "ready\n"), page: Int = 200, _ database: DatabaseCheck.State
  ) -> [String] {
    var answers = ServiceCheck.Answers(address: "http://h:1")
    if let health {
      (answers.health, answers.readiness, answers.page) = (health, ready, page)
    } else {
      answers.failure = HTTPFailure("Connection refused", isUnreachable: true)
    }
    return ServiceCheck.findings(answers, database: database).map { "\($0.level): \($0.message)" }
  }

  @Test("the service's responses are combined with the state of the database")
  func services() {
    #expect(findings(health: (200, "ok\n"), .held) == ["ok: the service at http://h:1 is ready"])
    #expect(findings(health: nil, .free) == ["ok: no service at http://h:1: Connection refused"])
    #expect(
      findings(health: nil, .held) == [
        "warning: no service at http://h:1: Connection refused; but a service holds the database"
      ])
    #expect(findings(health: (200, "hello"), .free) == ["error: another program answers at http://h:1"])
    #expect(
      findings(health: (503, "engine stalled\n"), .held) == ["error: engine stalled in the service at http://h:1"])
    #expect(
      findings(health: (200, "ok\n"), ready: (503, "waiting for the broker\n"), .held) == [
        "error: the service at http://h:1 is not ready: waiting for the broker"
      ])
    #expect(
      findings(health: (200, "ok\n"), page: 401, .held) == [
        "error: the service at http://h:1 does not accept the token", "ok: the service at http://h:1 is ready",
      ])
    #expect(
      findings(health: (200, "ok\n"), page: 401, .free) == [
        "warning: the service at http://h:1 uses another database than the configured one",
        "ok: the service at http://h:1 is ready",
      ])
  }

  @Test("a finding is shown with its remedy; control characters are escaped")
  func shown() {
    let finding = Finding.warning(.zones, "old", "apt-get upgrade")
    #expect(finding.lines == "warning   zones          old\n          fix: apt-get upgrade")
    #expect(
      finding.json == #"{"level":"warning","part":"zones","remedy":"apt-get upgrade","words":"old"}"#)
    #expect(Finding.ok(.topology, "a\u{1b}[2Jb").lines.hasSuffix(#""a\u001b[2Jb""#))
    #expect([Finding.Level.warning, .ok, .error].max()?.exitCode == 2)
  }

  @Test(
    "a shell word is quoted where necessary",
    arguments: [("a.b-c/d", "a.b-c/d"), ("", "''"), ("a b", "'a b'"), ("$(rm)", "'$(rm)'"), ("it's", #"'it'\''s'"#)])
  func words(text: String, word: String) {
    #expect(shellWord(text) == word)
  }
}
