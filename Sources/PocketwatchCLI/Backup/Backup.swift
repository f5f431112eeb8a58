import AdminHTTP
import ArgumentParser
import Foundation
import NIOCore
import NIOHTTP1
import PocketwatchService
import SQLiteStore
import Scheduling

struct Backup: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Copy the database of a running service into a file.",
    discussion: """
      The service is asked at POCKETWATCH_HTTP, with the token of POCKETWATCH_HTTP_TOKEN_FILE, or the one that it made \
      beside its database: run this as its user, with its settings. It continues to work meanwhile; whatever it \
      acknowledged before this command began is in the copy. It needs room for the copy beside its database. The copy \
      holds all payloads: only you may read the file. If POCKETWATCH_DATABASE or POCKETWATCH_STACK is set, the service \
      has to be the one that they name. FILE cannot be that database, nor a file that belongs to it.

      Exit codes: 0 the backup is complete and was checked, 1 FILE cannot be written or is damaged, 69 the service \
      gave none, 78 a setting is wrong, or names another service.
      """)

  @Argument(help: "Where the backup goes. Until it is complete it is called FILE.partial.")
  var file: String

  @Flag(help: "Replace FILE if it is there.")
  var force = false

  @Option(help: ArgumentHelp("A JSON file with settings; the environment wins over it.", valueName: "file"))
  var config: String?

  /// What the settings say of the service. Only what is set counts: the defaults are those of a service, not of this command.
  private struct Expected {
    var pages: AdminSettings?
    var stack: String?
    var database: String?
  }

  func run() async throws {
    let expected = try await orExit {
      let reader = try SettingReader(environment: ProcessInfo.processInfo.environment, file: config)
      return Expected(
        pages: try await AdminSettings.read(from: reader), stack: try await reader.text(.stack),
        database: try await reader.text(.database))
    }
    guard let settings = expected.pages else {
      throw failure(.configuration, "POCKETWATCH_HTTP is off: a service is asked for backups over HTTP")
    }
    guard force || !FileManager.default.fileExists(atPath: file) else {
      complain("\(file) is there already; name another file, or replace it with --force")
      throw ExitCode.rejected
    }
    do {
      var protected = ProtectedFiles()
      if let database = expected.database { protected.add(database: database) }
      try check(against: protected)
      let (size, copied) = try await fetch(HTTPClient(settings), expected)
      let schedules = try finish()
      try printLine("\(file): \(schedules) schedules, \(size) bytes, of \(copied.description)")
    } catch let error as BackupError {
      complain(error.words)
      throw error.code
    }
  }

  private var partial: String { file + ".partial" }

  /// Refuses a target that is a database in use. `PartialFile` removes what has the partial name.
  private func check(against protected: ProtectedFiles) throws(BackupError) {
    for path in [file, partial] where protected.include(path) {
      throw BackupError(
        words: "\(path) is the database itself, or belongs to it: a backup in its place would cost the schedules; name"
          + " another file", code: .rejected)
    }
  }

  /// Whose copy it is; throws when it is not that of the service which the settings name.
  private func copied(
    _ head: HTTPResponseHead, _ client: HTTPClient, _ expected: Expected
  ) throws(BackupError) -> CopiedDatabase {
    guard let copied = CopiedDatabase(head.headers) else {
      throw BackupError(
        words: "no backup from \(client.address): the service there does not say whose database it copies; is it of"
          + " this version?", code: .unavailable)
    }
    var differences: [String] = []
    if let stack = expected.stack, stack != copied.stack { differences.append("POCKETWATCH_STACK is \(stack)") }
    if let database = expected.database, !copied.isNamed(by: database) {
      differences.append("POCKETWATCH_DATABASE is \(database)")
    }
    guard differences.isEmpty else {
      throw BackupError(
        words: "no backup: the service at \(client.address) is another one, of \(copied.description), but"
          + " \(differences.joined(separator: ", ")); set POCKETWATCH_HTTP to the address of the right one",
        code: ExitCode(ServiceFailure.Code.configuration.rawValue))
    }
    var protected = ProtectedFiles()
    protected.add(copied)
    try check(against: protected)
    return copied
  }

  /// Fetches the copy into the partial file, and returns its size and whose it is.
  private func fetch(_ client: HTTPClient, _ expected: Expected) async throws -> (size: Int, CopiedDatabase) {
    var answer = HTTPClient.Answer()
    var copy: PartialFile?
    var origin: CopiedDatabase?
    do {
      try await client.request(.POST, "/api/v1/backup") { part in
        if case .head(let head) = part, head.status == .ok {
          origin = try copied(head, client, expected)
          copy = try PartialFile(partial)
        }
        guard case .body(let piece) = part, let copy else { return try answer.take(part) }
        try piece.withUnsafeReadableBytes(copy.write)
      }
      guard let copy, let origin else { throw BackupError.refused(answer, client) }
      let size = answer.headers.first(name: "Content-Length")
      guard size == String(copy.size) else {
        throw HTTPClient.Failure(words: "\(copy.size) bytes came of \(size ?? "an unknown number")")
      }
      try copy.finish()
      return (copy.size, origin)
    } catch let error as BackupError {
      throw error
    } catch {
      throw BackupError(HTTPClient.failure(error), client)
    }
  }

  /// Checks what came, gives it its name, and returns how many schedules it holds.
  private func finish() throws -> Int {
    do {
      let count = try SQLiteStore.examine(path: partial)
      guard rename(partial, file) == 0 else { throw BackupError(writing: file, errno) }
      try PartialFile.syncFolder(of: file)
      return count
    } catch {
      unlink(partial)
      guard let error = error as? StoreError else { throw error }
      throw BackupError(words: "the backup is of no use: \(error)", code: .rejected)
    }
  }
}

/// Why there is no backup.
struct BackupError: Error {
  var words: String
  var code: ExitCode

  init(words: String, code: ExitCode) {
    self.words = words
    self.code = code
  }

  init(writing path: String, _ code: CInt) {
    self.init(words: "cannot write \(path): \(String(cString: strerror(code)))", code: .rejected)
  }

  init(_ failure: HTTPClient.Failure, _ client: HTTPClient) {
    let advice =
      failure.isNobodyThere
      ? ". Is the service running, and does POCKETWATCH_HTTP say where? A stopped one needs no backup: copy its file"
      : ""
    self.init(words: "no backup from \(client.address): \(failure.words)\(advice)", code: .unavailable)
  }

  /// What another answer than a copy means.
  static func refused(_ answer: HTTPClient.Answer, _ client: HTTPClient) -> BackupError {
    struct Reason: Decodable {
      var error: String
    }
    let reason = try? JSONDecoder().decode(Reason.self, from: Data(answer.body))
    let words =
      switch (answer.status, reason) {
      case (401, _): client.unauthorizedReason
      case (404, _), (405, _): "what listens there is not a Pocketwatch that makes backups"
      case (_, let reason?): reason.error
      case (let status, nil): "it answers \(status)"
      }
    return BackupError(words: "no backup from \(client.address): \(words)", code: .unavailable)
  }
}
