// swift-tools-version: 6.2
import PackageDescription

/// One set of compiler settings for every target. `ops/test` and CI set POCKETWATCH_STRICT, which turns warnings into errors.
var settings: [SwiftSetting] = [
  .enableUpcomingFeature("ExistentialAny"),
  .enableUpcomingFeature("InternalImportsByDefault"),
  .enableUpcomingFeature("MemberImportVisibility"),
  .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
]
if Context.environment["POCKETWATCH_STRICT"] != nil {
  settings.append(.treatAllWarnings(as: .error))
}

let package = Package(
  name: "pocketwatch",
  products: [
    .executable(name: "pocketwatch", targets: ["PocketwatchCLI"]),
    .executable(name: "benchmarks", targets: ["Benchmarks"]),
    .executable(name: "bare-client", targets: ["BareClient"]),
    .executable(name: "simulate", targets: ["Simulate"]),
    .library(name: "Fuzz", type: .static, targets: ["Fuzz"]),
  ],
  dependencies: [
    .package(url: "https://github.com/apple/swift-algorithms", from: "1.2.1"),
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
    .package(url: "https://github.com/apple/swift-collections", from: "1.6.0"),
    .package(url: "https://github.com/apple/swift-configuration", from: "1.4.0"),
    .package(url: "https://github.com/apple/swift-http-types", from: "1.8.0"),
    .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
    .package(url: "https://github.com/apple/swift-metrics", from: "2.13.0"),
    .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
    .package(url: "https://github.com/apple/swift-nio-extras", from: "1.35.2"),
    .package(url: "https://github.com/apple/swift-nio-ssl", from: "2.37.6"),
    .package(url: "https://github.com/groue/GRDB.swift", from: "7.10.0"),
    .package(url: "https://github.com/hummingbird-project/hummingbird", from: "2.28.1", traits: []),
    .package(url: "https://github.com/hummingbird-project/swift-mustache", from: "2.1.1"),
    .package(url: "https://github.com/swift-server/async-http-client", from: "1.37.0"),
    .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
  ],
  targets: [
    .systemLibrary(
      name: "CRabbitMQ", pkgConfig: "librabbitmq", providers: [.apt(["librabbitmq-dev"])]),
    .systemLibrary(name: "CLinux"),
    .target(name: "Bytes"),
    .target(
      name: "AMQP",
      dependencies: [
        "Bytes", "CRabbitMQ", "CLinux", .product(name: "Algorithms", package: "swift-algorithms"),
        .product(name: "DequeModule", package: "swift-collections"),
      ], exclude: ["README.md"]),
    .target(
      name: "Recurrence", dependencies: ["Bytes", .product(name: "Algorithms", package: "swift-algorithms")]),
    .target(
      name: "Scheduling",
      dependencies: [
        "Recurrence", .product(name: "Algorithms", package: "swift-algorithms"),
        .product(name: "DequeModule", package: "swift-collections"),
        .product(name: "HeapModule", package: "swift-collections"),
      ]),
    .target(name: "SchedulingTestKit", dependencies: ["Recurrence", "Scheduling"]),
    .target(
      name: "EventBus",
      dependencies: ["Bytes", "Recurrence", "Scheduling"]),
    .target(
      name: "SQLiteStore",
      dependencies: [
        "Recurrence", "Scheduling", .product(name: "GRDB", package: "GRDB.swift"),
        .product(name: "GRDBSQLite", package: "GRDB.swift"),
      ]),
    .target(
      name: "PrometheusMetrics",
      dependencies: [
        "Bytes", .product(name: "Algorithms", package: "swift-algorithms"),
        .product(name: "CoreMetrics", package: "swift-metrics"),
      ]),
    .target(
      name: "AdminHTTP",
      dependencies: [
        "PrometheusMetrics", "Recurrence", "Scheduling",
        .product(name: "HTTPTypes", package: "swift-http-types"),
        .product(name: "Hummingbird", package: "hummingbird"),
        .product(name: "HummingbirdCore", package: "hummingbird"),
        .product(name: "Logging", package: "swift-log"),
        .product(name: "Mustache", package: "swift-mustache"),
        .product(name: "NIOCore", package: "swift-nio"),
        .product(name: "NIOHTTPTypes", package: "swift-nio-extras"),
        .product(name: "NIOPosix", package: "swift-nio"),
        .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
      ]),
    .target(
      name: "PocketwatchService",
      dependencies: [
        "AMQP", "AdminHTTP", "Bytes", "CLinux", "EventBus", "PrometheusMetrics", "Recurrence", "Scheduling",
        "SQLiteStore",
        .product(name: "Configuration", package: "swift-configuration"),
        .product(name: "CoreMetrics", package: "swift-metrics"),
        .product(name: "Logging", package: "swift-log"),
        .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
        .product(name: "UnixSignals", package: "swift-service-lifecycle"),
      ]),
    .executableTarget(
      name: "PocketwatchCLI",
      dependencies: [
        "AMQP", "AdminHTTP", "Bytes", "EventBus", "PocketwatchService", "Recurrence", "Scheduling", "SQLiteStore",
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
        .product(name: "AsyncHTTPClient", package: "async-http-client"),
        .product(name: "Logging", package: "swift-log"),
        .product(name: "NIOCore", package: "swift-nio"),
        .product(name: "NIOHTTP1", package: "swift-nio"),
        .product(name: "NIOPosix", package: "swift-nio"),
        .product(name: "NIOSSL", package: "swift-nio-ssl"),
        .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
        .product(name: "UnixSignals", package: "swift-service-lifecycle"),
      ]),
    .target(name: "LoopbackHTTP", path: "Tests/LoopbackHTTP"),
    .target(name: "AMQPTestKit", path: "Tests/AMQPTestKit"),
    .executableTarget(
      name: "Benchmarks",
      dependencies: [
        "AMQP", "EventBus", "LoopbackHTTP", "PocketwatchService", "Recurrence", "SQLiteStore", "Scheduling",
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ],
      path: "Tests/Benchmarks"),
    .executableTarget(name: "BareClient", dependencies: ["CRabbitMQ"], path: "Tests/BareClient"),
    .target(
      name: "Simulation", dependencies: ["Recurrence", "Scheduling", "SchedulingTestKit"], path: "Tests/Simulation"),
    .executableTarget(
      name: "Simulate",
      dependencies: [
        "Recurrence", "Scheduling", "Simulation", .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ],
      path: "Tests/Simulate"),
    .target(name: "Fuzz", dependencies: ["AMQP", "EventBus", "Recurrence", "Scheduling"], path: "Tests/Fuzz"),
    .testTarget(name: "BytesTests", dependencies: ["Bytes"]),
    .testTarget(name: "AMQPTests", dependencies: ["AMQP", "AMQPTestKit"]),
    .testTarget(
      name: "RecurrenceTests", dependencies: ["Recurrence"], resources: [.copy("Vectors")]),
    .testTarget(
      name: "SchedulingTests", dependencies: ["Recurrence", "Scheduling", "SchedulingTestKit", "Simulation"]),
    .testTarget(name: "EventBusTests", dependencies: ["EventBus", "Recurrence", "Scheduling"]),
    .testTarget(
      name: "SQLiteStoreTests",
      dependencies: [
        "Recurrence", "Scheduling", "SchedulingTestKit", "SQLiteStore",
        .product(name: "GRDB", package: "GRDB.swift"),
      ], resources: [.copy("Releases")]),
    .testTarget(
      name: "PrometheusMetricsTests",
      dependencies: ["PrometheusMetrics", .product(name: "CoreMetrics", package: "swift-metrics")]),
    .testTarget(
      name: "AdminHTTPTests",
      dependencies: [
        "AdminHTTP", "LoopbackHTTP", "PrometheusMetrics", "Recurrence", "Scheduling", "SchedulingTestKit",
        .product(name: "CoreMetrics", package: "swift-metrics"),
        .product(name: "HTTPTypes", package: "swift-http-types"),
        .product(name: "Hummingbird", package: "hummingbird"),
        .product(name: "HummingbirdTesting", package: "hummingbird"),
        .product(name: "HummingbirdCore", package: "hummingbird"),
        .product(name: "Logging", package: "swift-log"),
        .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
      ]),
    .testTarget(
      name: "PocketwatchServiceTests",
      dependencies: [
        "AMQP", "AdminHTTP", "Bytes", "EventBus", "PocketwatchService", "PrometheusMetrics", "Recurrence",
        "SQLiteStore", "Scheduling", "SchedulingTestKit",
        .product(name: "Logging", package: "swift-log"),
      ]),
    .testTarget(
      name: "PocketwatchCLITests",
      dependencies: [
        "AMQP", "EventBus", "PocketwatchCLI", "PocketwatchService", "Recurrence", "Scheduling", "SchedulingTestKit",
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ]),
    .testTarget(
      name: "IntegrationTests",
      dependencies: [
        "AMQP", "AMQPTestKit", "EventBus", "LoopbackHTTP", "PocketwatchService", "Recurrence", "Scheduling",
        "SchedulingTestKit", "Simulation",
        .product(name: "GRDB", package: "GRDB.swift"),
      ]),
  ],
  swiftLanguageModes: [.v6]
)

for target in package.targets where target.type != .system {
  target.swiftSettings = settings
}
