extension ServiceProcess {
  /// Where its pages are, as `host:port`: the port may have been for the system to choose.
  func httpAddress() throws -> String {
    let line = log.lazy.compactMap { $0.firstMatch(of: /http:\/\/(127\.0\.0\.1:\d+)/) }.first
    guard let line else { throw Unexpected("the log does not say where the pages are") }
    return String(line.output.1)
  }
}
