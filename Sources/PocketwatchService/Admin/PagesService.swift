package import AdminHTTP
package import Logging
import PrometheusMetrics
import Recurrence
import Scheduling
import ServiceLifecycle

/// The pages of a scheduler, as a service beside it.
package struct PagesService: Service {
  /// What the scheduler reports to.
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

  /// Runs until a graceful shutdown. An address that is taken is tried again; the scheduler does not wait for it.
  package func run() async throws { try await service.run() }
}
