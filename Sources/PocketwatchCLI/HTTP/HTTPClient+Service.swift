import AdminHTTP
import PocketwatchService

extension HTTPClient {
  /// A client of the service's own pages.
  init(_ settings: AdminSettings) {
    // Where a service listens everywhere, it does so here.
    let everywhere = ["0.0.0.0": "127.0.0.1", "::": "::1"]
    self.init(
      host: everywhere[settings.host] ?? settings.host, port: settings.port,
      authorization: settings.token?.authorization)
  }
}
