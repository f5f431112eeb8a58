import AMQP
import Foundation
import PocketwatchService
import Testing

/// A password that is rotated while the service runs.
@Suite(
  "The service: rotated credentials", .serialized, .timeLimit(.minutes(5)),
  .enabled(if: TestEnvironment.hasService && PrivateBroker.script != nil, TestEnvironment.needsService))
struct ServiceCredentialTests {
  @Test(
    "the URL's file is read before each login: the service reconnects with the new password, and no slot is lost",
    arguments: [true, false])
  func rotated(isFileWrittenFirst: Bool) async throws {
    try await PrivateBroker.running([]) { broker in
      try await ServiceProcess.prepared(on: try #require(try await broker.url().string)) { service, bus in
        var login = try await broker.url()
        (login.user, login.password) = ("pw", "first-secret")
        try await broker.ctl("add_user", "pw", "first-secret")
        try await broker.ctl("set_permissions", "pw", ".*", ".*", ".*")
        let file = service.folder.appending(path: "url")
        func write(_ text: String?) throws { try Data((text ?? "").utf8).write(to: file, options: .atomic) }
        try write(login.string)
        service.environment["POCKETWATCH_AMQP_URL"] = nil
        service.environment["POCKETWATCH_AMQP_URL_FILE"] = file.path()
        try await service.start()
        try await bus.start(#""id": "r", "cron": "* * * * * *""#)
        _ = try await bus.next("Schedule Tick", of: "r")

        // A wrong file is reported at once, without further effect.
        try write("amqp://pw:first-secret@broker:port")
        service.program?.send(signal: SIGHUP)
        try await service.logs("cannot use the broker's URL file")
        try write(login.string)

        try await broker.ctl("change_password", "pw", "second-secret")
        login.password = "second-secret"
        if isFileWrittenFirst { try write(login.string) }
        try await broker.ctl("close_all_connections", "rotated")
        if !isFileWrittenFirst {
          try await service.logs("the broker refused the login")
          try write("")
          try await service.logs("cannot use the broker's URL file")
          try write(login.string)
        }
        try await service.logs("the broker's URL file has changed")
        try await service.logs(#"":"ready""#)
        try await bus.reconnected()
        try await bus.stop("r")
        _ = try await bus.next("Schedule Stopped", of: "r")
        expectEverySlot(firstCopies(of: bus.ticks(of: "r")), everyMilliseconds: 1000)
        let log = service.log
        #expect(!log.contains { $0.contains("secret") })
        #expect(!isFileWrittenFirst || !log.contains { $0.contains("refused the login") }, "\(log)")
        #expect(try await service.stop() == 0)
      }
    }
  }
}
