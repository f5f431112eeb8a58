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
      The service is asked at POCKETWATCH_HTTP, with the token of POCKETWATCH_HTTP_TOKEN_FILE, or the one that it \
      made beside its database: run this as its user, with its settings. It continues to work meanwhile; whatever it acknowledged before this command began is in the copy. It needs room for the \
      copy beside its database. The copy holds all payloads: only you may read the file.

      Exit codes: 0 the backup is complete and was checked, 1 FILE cannot be written or is damaged, 69 the service \
      gave none, 78 a setting is wrong.
      """)

  @Argument(help: "Where the backup goes. Until it is complete it is called FILE.partial.")
  var file: String

  @Flag(help: "Replace FILE if it is there.")
  var force = false

  @Option(help: ArgumentHelp("A JSON file with settings; the environment wins over it.", valueName: "file"))
  var config: String?

  func run() async throws {
    let settings = try await orExit {
      try await AdminSettings.read(
        from: SettingReader(environment: ProcessInfo.processInfo.environment, file: config))
    }
    guard let settings else {
      throw failure(.configuration, "POCKETWATCH_HTTP is off: a service is asked for backups over HTTP")
    }
    guard force || !FileManager.default.fileExists(atPath: file) else {
      complain("\(file) is there already; name another file, or replace it with --force")
      throw ExitCode.rejected
    }
    do {
      let size = try await fetch(HTTPClient(settings))
      let schedules = try finish()
      try printLine("\(file): \(schedules) schedules, \(size) bytes")
    } catch let error as BackupError {
      complain(error.words)
      throw error.code
    }
  }

  private var partial: String { file + ".partial" }

  /// Fetches the copy into the partial file, and returns its size.
  private func fetch(_ client: HTTPClient) async throws -> Int {
    var answer = HTTPClient.Answer()
    var copy: PartialFile?
    do {
      try await client.request(.POST, "/api/v1/backup") { part in
        if case .head(let head) = part, head.status == .ok { copy = try PartialFile(partial) }
        guard case .body(let piece) = part, let copy else { return try answer.take(part) }
        try piece.withUnsafeReadableBytes(copy.write)
      }
      guard let copy else { throw BackupError.refused(answer, client) }
      let size = answer.headers.first(name: "Content-Length")
      guard size == String(copy.size) else {
        throw HTTPClient.Failure(words: "\(copy.size) bytes came of \(size ?? "an unknown number")")
      }
      try copy.finish()
      return copy.size
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
      case (404, _), (405, _): "what listens there is no Pocketwatch that makes backups"
      case (_, let reason?): reason.error
      case (let status, nil): "it answers \(status)"
      }
    return BackupError(words: "no backup from \(client.address): \(words)", code: .unavailable)
  }
}
