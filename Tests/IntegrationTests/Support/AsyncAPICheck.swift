import AMQP
import Foundation
import PocketwatchService
import Testing

/// Messages stored for `ops/check-asyncapi`.
struct AsyncAPICheck {
  static let isThere = Python.has("jsonschema, yaml")
  static let isNeeded: Comment = "messages are checked with: apt-get install python3-jsonschema python3-yaml"

  let folder: URL

  /// - Parameter folder: By default a new one.
  init(folder: URL? = nil) throws {
    self.folder = folder ?? FileManager.default.temporaryDirectory.appending(path: "messages-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: self.folder, withIntermediateDirectories: true)
  }

  func add(_ routingKey: String, _ body: String) throws {
    try Data("\(routingKey)\n\(body)".utf8).write(to: folder.appending(path: UUID().uuidString))
  }

  /// Validates all messages.
  func judge() async throws -> (code: Int32, output: String, complaint: String) {
    try await Python.run(PrivateBroker.root.appending(path: "ops/check-asyncapi"), [folder.path()])
  }
}

extension ServiceBus {
  /// Stores one event of each form, by the fields that it has. Of events of its service only: tests forge others.
  func store(for check: AsyncAPICheck) throws {
    var forms: Set<String> = []
    for event in events.all where event.source == "com.\(names.stack)" && forms.insert(event.form).inserted {
      try check.add(String(decoding: event.delivery.routingKey, as: UTF8.self), event.body)
    }
  }
}

extension ServiceEvent {
  /// Its name and the fields of its Detail; the whole body if Foundation cannot read that.
  fileprivate var form: String {
    let object = try? JSONSerialization.jsonObject(with: Data(delivery.body)) as? [String: Any]
    guard let detail = object?["Detail"] as? [String: Any] else { return body }
    return ([name] + detail.keys.sorted()).joined(separator: " ")
  }
}
