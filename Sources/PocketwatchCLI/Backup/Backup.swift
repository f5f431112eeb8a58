import AdminHTTP
import ArgumentParser
import AsyncHTTPClient
import Foundation
import NIOCore
import NIOHTTP1
import PocketwatchService
import SQLiteStore
import Scheduling

struct Backup: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Back up the database of a running service to a file.",
    discussion: """
      Requests the copy from the service at POCKETWATCH_HTTP, with the token of POCKETWATCH_HTTP_TOKEN_FILE, or with the \
      one that the service created next to its database: run this command as the user of the service, with its settings. \
      The service continues to work. The copy includes every command acknowledged before this command began. The service \
      needs room for the copy next to its database. The copy contains all payloads; only your user can read the file. If \
      POCKETWATCH_DATABASE or POCKETWATCH_STACK is set, the service must be the one that they name. FILE must not be \
      that database or one of its companion files.

      Exit codes: 0 the backup is complete and verified, 1 FILE cannot be written or the copy is damaged, 69 no copy from \
      the service, 78 invalid setting, or the service is not the one that the settings name.
      """)

  @Argument(help: "The backup file. While incomplete it is named FILE.partial.")
  var file: String

  @Flag(help: "Replace FILE if it exists.")
  var force = false

  @Option(help: ArgumentHelp("A JSON file with settings; environment variables take precedence.", valueName: "file"))
  var config: String?

  /// The service that the settings name. Defaults do not count: they are those of a service, not of this command.
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
      throw failure(.configuration, "POCKETWATCH_HTTP is off; backups are requested over HTTP")
    }
    guard force || !FileManager.default.fileExists(atPath: file) else {
      complain("\(file) exists; choose another file, or replace it with --force")
      throw ExitCode.rejected
    }
    do {
      var protected = ProtectedFiles()
      if let database = expected.database { protected.add(database: database) }
      try check(against: protected)
      try PartialFile.check(partial)  // before the service makes a copy for nothing
      let (size, copied) = try await fetch(HTTPEndpoint(settings), expected)
      let schedules = try finish()
      try printLine("\(file): \(schedules) schedules, \(size) bytes, of \(copied.description)")
    } catch let error as BackupError {
      complain(error.message)
      throw error.code
    }
  }

  private var partial: String { file + ".partial" }

  /// Refuses a target that is a database in use. Checks the partial name, too, because `PartialFile` removes that file.
  private func check(against protected: ProtectedFiles) throws(BackupError) {
    for path in [file, partial] where protected.include(path) {
      throw BackupError(
        "\(path) is the database itself or one of its companion files; a backup there would destroy the schedules; choose"
          + " another file", code: .rejected)
    }
  }

  /// The database that was copied; throws unless it is that of the service that the settings name.
  private func copied(
    _ headers: HTTPHeaders, _ service: HTTPEndpoint, _ expected: Expected
  ) throws(BackupError) -> CopiedDatabase {
    guard let copied = CopiedDatabase(headers) else {
      throw BackupError(
        "no backup from \(service.address): the service does not say which database it copies; does it have this version?",
        code: .unavailable)
    }
    var differences: [String] = []
    if let stack = expected.stack, stack != copied.stack { differences.append("POCKETWATCH_STACK is \(stack)") }
    if let database = expected.database, !copied.isNamed(by: database) {
      differences.append("POCKETWATCH_DATABASE is \(database)")
    }
    guard differences.isEmpty else {
      throw BackupError(
        "no backup: the service at \(service.address) is another one, with \(copied.description), but"
          + " \(differences.joined(separator: ", ")); set POCKETWATCH_HTTP to the address of the right one",
        code: ExitCode(ServiceFailure.Code.configuration.rawValue))
    }
    var protected = ProtectedFiles()
    protected.add(copied)
    try check(against: protected)
    return copied
  }

  /// Fetches the copy into the partial file; returns its size and origin.
  private func fetch(_ service: HTTPEndpoint, _ expected: Expected) async throws -> (size: Int, CopiedDatabase) {
    do {
      return try await service.withResponse(to: .POST, "/api/v1/backup") { response in
        guard response.status == .ok else {
          throw BackupError.refused(try await HTTPEndpoint.collected(response), service)
        }
        let origin = try copied(response.headers, service, expected)
        let copy = try PartialFile(partial)
        for try await piece in response.body { try piece.withUnsafeReadableBytes(copy.write) }
        let size = response.headers.first(name: "Content-Length")
        guard size == String(copy.size) else {
          throw HTTPFailure("received \(copy.size) of \(size ?? "an unknown number of") bytes")
        }
        try copy.finish()
        return (copy.size, origin)
      }
    } catch let error as BackupError {
      throw error
    } catch {
      throw BackupError(HTTPFailure(error), service)
    }
  }

  /// Verifies the copy and renames it; returns its number of schedules.
  private func finish() throws -> Int {
    do {
      let count = try SQLiteStore.examine(path: partial)
      guard rename(partial, file) == 0 else { throw BackupError(writing: file, errno) }
      try PartialFile.syncFolder(of: file)
      return count
    } catch {
      unlink(partial)
      guard let error = error as? StoreError else { throw error }
      throw BackupError("the backup is unusable: \(error)", code: .rejected)
    }
  }
}

/// Why there is no backup.
struct BackupError: Error {
  var message: String
  var code: ExitCode

  init(_ message: String, code: ExitCode) {
    self.message = message
    self.code = code
  }

  init(writing path: String, _ code: CInt) {
    self.init("cannot write \(path): \(String(cString: strerror(code)))", code: .rejected)
  }

  init(_ failure: HTTPFailure, _ service: HTTPEndpoint) {
    let advice =
      failure.isUnreachable
      ? ". Is the service running, and is POCKETWATCH_HTTP its address? For a stopped service, copy the database file"
      : ""
    self.init("no backup from \(service.address): \(failure.message)\(advice)", code: .unavailable)
  }

  /// The error for a response that is not a copy.
  static func refused(_ response: HTTPEndpoint.Response, _ service: HTTPEndpoint) -> BackupError {
    struct Refusal: Decodable {
      var error: String
    }
    let refusal = try? JSONDecoder().decode(Refusal.self, from: Data(response.body))
    let reason =
      switch (response.status, refusal) {
      case (401, _): service.unauthorizedReason
      case (404, _), (405, _): "the program that listens there is not a Pocketwatch that makes backups"
      case (_, let refusal?): refusal.error
      case (let status, nil): "status \(status)"
      }
    return BackupError("no backup from \(service.address): \(reason)", code: .unavailable)
  }
}
