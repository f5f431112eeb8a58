import Hummingbird
import HummingbirdCore
package import Logging
import NIOCore
package import PrometheusMetrics
import ServiceLifecycle

/// Health, metrics and pages over HTTP, as a service. Knows the scheduler by its port only.
package struct AdminService: Service {
  private let settings: AdminSettings
  private let responder: RouterResponder<BasicRequestContext>
  private let logger: Logger
  private let onListening: @Sendable (_ port: Int) -> Void

  /// How long a stop waits for answers that are under way, and for readers that do not read.
  private static let patience = Duration.seconds(1)

  /// - Parameter onListening: Told the port once connections are taken.
  package init(
    settings: AdminSettings, source: any AdminSource, metrics: PrometheusRegistry, logger: Logger,
    onListening: @escaping @Sendable (_ port: Int) -> Void = { _ in }
  ) throws {
    self.settings = settings
    responder = try AdminRoutes(settings: settings, source: source, metrics: metrics).router().buildResponder()
    self.logger = logger
    self.onListening = onListening
  }

  /// Runs until a graceful shutdown. Throws `AdminAddressError` when it cannot listen.
  package func run() async throws {
    do {
      try await withThrowingTaskGroup(of: Void.self) { group in
        group.addTask { try await application.run() }
        group.addTask {
          try? await gracefulShutdown()
          try? await Task.sleep(for: Self.patience)
        }
        // The application has ended by itself, or had its time.
        try await group.next()
        group.cancelAll()
      }
    } catch let error as IOError {
      throw AdminAddressError(host: settings.host, port: settings.port, words: "\(error)")
    } catch let error as SocketAddressError {
      throw AdminAddressError(host: settings.host, port: settings.port, words: "\(error)")
    }
  }

  private var application: Application<RouterResponder<BasicRequestContext>> {
    var quiet = logger
    quiet.logLevel = max(logger.logLevel, .warning)
    return Application(
      responder: responder,
      server: .http1(
        configuration: HTTP1Channel.Configuration(
          additionalChannelHandlers: [StalledWriteHandler(timeout: .seconds(Int64(settings.stalledSeconds)))],
          idleTimeout: .seconds(Int64(settings.idleSeconds)),
          httpDecoderConfiguration: .init(
            maxHeaderFieldSize: 8 * 1024, maxHeaderListSize: 16 * 1024, maxHeaderFieldCount: 64))),
      configuration: ApplicationConfiguration(
        address: .hostname(settings.host, port: settings.port), backlog: settings.maximumWaiting,
        availableConnectionsDelegate: MaximumAvailableConnections(settings.maximumConnections)),
      onServerRunning: { channel in
        let port = channel.localAddress?.port ?? settings.port
        let host = settings.host.contains(":") ? "[\(settings.host)]" : settings.host
        logger.info("pages and metrics", metadata: ["address": "http://\(host):\(port)/"])
        onListening(port)
      }, logger: quiet)
  }
}

/// The address cannot be listened on.
package struct AdminAddressError: Error, Sendable {
  package var host: String
  package var port: Int
  package var words: String
}
