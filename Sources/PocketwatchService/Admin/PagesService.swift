package import AdminHTTP
package import Logging
import PrometheusMetrics
import Recurrence
import Scheduling
import ServiceLifecycle

/// The HTTP service of a scheduler: pages, API, health and metrics.
package struct PagesService: Service {
  /// The scheduler's telemetry.
  package let watch: ServiceWatch
  private let service: AdminService

  package init(settings: AdminSettings, configuration: Configuration, logger: Logger) throws {
    let registry = PrometheusRegistry(ServiceMetrics.descriptions + ProcessMetrics.descriptions)
    ProcessMetrics.register(
      in: registry, startSeconds: Double(SystemClock.now().wall.milliseconds) / 1000)
    watch = ServiceWatch(configuration: configuration, registry: registry)
    service = try AdminService(settings: settings, source: watch, metrics: registry, logger: logger) { [watch] state in
      if case .failed(let error) = state { watch.set(pagesProblem: "\(error)") } else { watch.set(pagesProblem: nil) }
    }
  }

  /// Runs until a graceful shutdown. Retries an address that is in use; the scheduler does not wait for it.
  package func run() async throws { try await service.run() }
}
