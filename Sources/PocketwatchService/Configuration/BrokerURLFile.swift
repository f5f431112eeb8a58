package import AMQP
import Foundation
package import Logging
import Synchronization

/// The file that holds the broker's URL, read again before each login, so that a rotated password needs no restart.
///
/// A file that cannot be used is logged once, and the URLs read before it stay in use.
package final class BrokerURLFile: Sendable {
  private struct State {
    var urls: [BrokerURL]
    /// The last error, until the file can be used again.
    var error: String?
    var logger: Logger?
  }

  private let path: String
  private let allowsTLS: Bool
  private let state: Mutex<State>

  /// Throws when the file cannot be used.
  ///
  /// - Parameter allowsTLS: Whether there are authorities to trust, without which an amqps URL cannot be used.
  package init(path: String, allowsTLS: Bool) throws(ConfigurationError) {
    self.path = path
    self.allowsTLS = allowsTLS
    state = Mutex(State(urls: try Self.read(path, allowsTLS: allowsTLS)))
  }

  /// From now on changes and errors are logged. Without it they are silent.
  package func log(to logger: Logger) {
    state.withLock { $0.logger = logger }
  }

  /// The URLs as the file has them now; those of before when it cannot be used. From any thread; reads the file.
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
          state.logger?.error("the broker's URL file cannot be used, the URL read before stays in use: \(error)")
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
