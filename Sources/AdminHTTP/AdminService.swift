import Foundation
import Hummingbird
import HummingbirdCore
package import Logging
import NIOCore
package import PrometheusMetrics
import ServiceLifecycle

/// Serves health, metrics, pages and API over HTTP. Knows the scheduler only as an `AdminSource`.
package struct AdminService: Service {
  private let settings: AdminSettings
  private let routes: AdminRoutes
  private let responder: RouterResponder<BasicRequestContext>
  private let logger: Logger
  private let onChange: @Sendable (Listening) -> Void

  /// The state of the listening socket.
  package enum Listening: Sendable {
    case port(Int)
    case failed(AdminAddressError)
  }

  /// How long a shutdown waits for responses in progress.
  private static let shutdownLimit = Duration.seconds(1)

  /// - Parameter onChange: Called when the service listens, and when it cannot.
  package init(
    settings: AdminSettings, source: any AdminSource, metrics: PrometheusRegistry, logger: Logger,
    onChange: @escaping @Sendable (Listening) -> Void = { _ in }
  ) throws {
    self.settings = settings
    routes = try AdminRoutes(settings: settings, source: source, metrics: metrics, logger: logger)
    responder = routes.router().buildResponder()
    self.logger = logger
    self.onChange = onChange
  }

  /// Runs until a graceful shutdown. An address in use is retried, so that whoever takes the port stops the pages, not
  /// the ticks.
  package func run() async throws {
    routes.checks.access.prepare()
    var logged: AdminAddressError?
    while !Task.isShuttingDownGracefully, !Task.isCancelled {
      do throws(AdminAddressError) {
        return try await serve()
      } catch {
        if Task.isShuttingDownGracefully || Task.isCancelled { return }
        if error != logged { logger.warning("no pages, no metrics: \(error); retrying, ticks continue") }
        logged = error
        onChange(.failed(error))
      }
      try? await cancelWhenGracefulShutdown { try await Task.sleep(for: .milliseconds(settings.retryMilliseconds)) }
    }
  }

  private func serve() async throws(AdminAddressError) {
    do {
      try await withThrowingTaskGroup(of: Void.self) { group in
        group.addTask { try await application.run() }
        group.addTask {
          try? await gracefulShutdown()
          try? await Task.sleep(for: Self.shutdownLimit)
        }
        // The application has ended, or its time is up.
        try await group.next()
        group.cancelAll()
      }
    } catch let error as IOError {
      throw AdminAddressError(settings, String(cString: strerror(error.errnoCode)))
    } catch {
      throw AdminAddressError(settings, "\(error)")
    }
  }

  private var application: Application<RouterResponder<BasicRequestContext>> {
    var quiet = logger
    quiet.logLevel = max(logger.logLevel, .warning)
    return Application(
      responder: responder, server: .http1(configuration: channel),
      configuration: ApplicationConfiguration(
        address: .hostname(settings.host, port: settings.port), backlog: settings.maximumWaiting,
        availableConnectionsDelegate: MaximumAvailableConnections(settings.maximumConnections)),
      onServerRunning: { channel in
        let port = channel.localAddress?.port ?? settings.port
        let host = settings.host.contains(":") ? "[\(settings.host)]" : settings.host
        logger.info("pages and metrics", metadata: ["address": "http://\(host):\(port)/"])
        onChange(.port(port))
      }, logger: quiet)
  }

  private var channel: HTTP1Channel.Configuration {
    let connections = OpenConnections(
      maximum: settings.maximumConnections, patience: .milliseconds(Int64(settings.crowdedMilliseconds)))
    let (idle, stalled) = (TimeAmount.seconds(Int64(settings.idleSeconds)), Int64(settings.stalledSeconds))
    return HTTP1Channel.Configuration(
      additionalChannelHandlers: [
        ConnectionHandler(connections: connections, requestTimeout: idle, writeTimeout: .seconds(stalled))
      ],
      idleTimeout: idle,
      httpDecoderConfiguration: .init(
        maxHeaderFieldSize: 8 * 1024, maxHeaderListSize: 16 * 1024, maxHeaderFieldCount: 64))
  }
}

/// Why the service cannot listen on its address.
package struct AdminAddressError: Error, Hashable, Sendable, CustomStringConvertible {
  package var host: String
  package var port: Int
  package var reason: String

  init(_ settings: AdminSettings, _ reason: String) {
    (host, port) = (settings.host, settings.port)
    self.reason = reason
  }

  package var description: String { "cannot listen on \(host) port \(port): \(reason)" }
}
