package import AMQP
import Foundation
package import Logging
import Synchronization

/// The file with the broker's URL, read before each login, so that a rotated password requires no restart.
///
/// An error of the file is logged once, and the previous URLs stay in use.
package final class BrokerURLFile: Sendable {
  private struct State {
    var urls: [BrokerURL]
    /// The last error; nil while the file is valid.
    var error: String?
    var logger: Logger?
  }

  private let path: String
  private let allowsTLS: Bool
  private let state: Mutex<State>

  /// Throws when the file is invalid.
  ///
  /// - Parameter allowsTLS: Whether a CA file is set, which amqps URLs require.
  package init(path: String, allowsTLS: Bool) throws(ConfigurationError) {
    self.path = path
    self.allowsTLS = allowsTLS
    state = Mutex(State(urls: try Self.read(path, allowsTLS: allowsTLS)))
  }

  /// Logs changes and errors from now on.
  package func log(to logger: Logger) {
    state.withLock { $0.logger = logger }
  }

  /// The current URLs in the file, or the previous ones if it is invalid. From any thread; reads the file.
  package func current() -> [BrokerURL] {
    let result = Result { () throws(ConfigurationError) in try Self.read(path, allowsTLS: allowsTLS) }
    return state.withLock { state in
      switch result {
      case .success(let urls):
        if urls != state.urls {
          let names = urls.map(\.description).joined(separator: ", ")
          state.logger?.notice(
            "the broker's URL file has changed; the next login uses it", metadata: ["broker": "\(names)"])
        } else if state.error != nil {
          state.logger?.notice("the broker's URL file can be read again")
        }
        (state.urls, state.error) = (urls, nil)
      case .failure(let error):
        let text = "\(error)"
        if text != state.error {
          state.logger?.error("cannot use the broker's URL file; the previous URL stays in use: \(error)")
        }
        state.error = text
      }
      return state.urls
    }
  }

  private static func read(_ path: String, allowsTLS: Bool) throws(ConfigurationError) -> [BrokerURL] {
    guard let data = FileManager.default.contents(atPath: path), let text = String(data: data, encoding: .utf8) else {
      throw ConfigurationError(.amqpURLFile, "the file \(path) cannot be read")
    }
    let urls: [BrokerURL]
    do {
      urls = try BrokerURL.list(text)
    } catch {
      throw ConfigurationError(.amqpURLFile, error.text)
    }
    if !allowsTLS, urls.contains(where: \.usesTLS) { throw BrokerSettings.missingAuthorities }
    return urls
  }
}
