package import AdminHTTP
package import Logging
import PrometheusMetrics
import Recurrence
import Scheduling
import ServiceLifecycle

/// The pages of a scheduler, as a service beside it.
package struct PagesService: Service {
  /// What the scheduler has to tell.
  package let watch: ServiceWatch
  private let service: AdminService

  package init(settings: AdminSettings, configuration: Configuration, logger: Logger) throws {
    let registry = PrometheusRegistry(ServiceMetrics.descriptions + ProcessMetrics.descriptions)
    ProcessMetrics.register(
      in: registry, startSeconds: Double(SystemClock.now().wall.milliseconds) / 1000)
    watch = ServiceWatch(configuration: configuration, registry: registry)
    service = try AdminService(settings: settings, source: watch, metrics: registry, logger: logger)
  }

  /// Throws `ServiceFailure` when the address cannot be had: someone who looks for the page should not find another's.
  package func run() async throws {
    do {
      try await service.run()
    } catch let error as AdminAddressError {
      throw ServiceFailure(
        .configuration,
        "\(Setting.http.environmentVariable) (\(Setting.http.key) in the file): cannot listen on \(error.host) port"
          + " \(error.port): \(error.words). Set another address, or off")
    }
  }
}
