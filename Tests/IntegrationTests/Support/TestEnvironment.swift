import Foundation
import Testing

/// The settings from `ops/test` for tests of the whole program.
enum TestEnvironment {
  private static let variables = ProcessInfo.processInfo.environment

  static let binary = variables["POCKETWATCH_TEST_BINARY"] ?? ""
  /// The broker that all tests share.
  static let brokerURL = variables["POCKETWATCH_TEST_AMQP_URL"] ?? ""
  /// The folder of that broker, for `ops/broker`.
  static let brokerFolder = variables["POCKETWATCH_TEST_BROKER_DIR"] ?? ""

  /// Where to store events for `ops/check-asyncapi`; nil when they are not to be validated.
  static let eventFolder = variables["POCKETWATCH_TEST_EVENTS"].map { URL(filePath: $0) }

  /// Where to write the picture of operating.md; nil when it is not to be taken.
  static let pictureFile = variables["POCKETWATCH_TEST_PICTURE"]

  /// The tracer that makes system calls fail.
  static let strace = "/usr/bin/strace"
  static let hasStrace = FileManager.default.isExecutableFile(atPath: strace)
  static let needsStrace: Comment = "strace makes system calls fail: apt-get install strace"

  static let hasService = !binary.isEmpty && !brokerURL.isEmpty
  static let needsService: Comment =
    "POCKETWATCH_TEST_BINARY and POCKETWATCH_TEST_AMQP_URL name program and broker; run ops/test"
}
