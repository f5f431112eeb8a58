import Foundation

/// Messages for the bare publisher: ids and bodies in which a run of sixteen # is replaced to distinguish them.
struct BareMessage {
  var key: String
  var id: String
  var body: [UInt8]
}

/// The bare publisher's report.
struct Publishing: Decodable {
  /// Nanoseconds since 1970.
  var began: Int64
  var confirmed: Int64
  /// Nanoseconds of processor time.
  var processor: Int64
}

/// A running Tests/BareClient.
extension Rig {
  /// Starts to publish `count` messages, as fast as the window allows or at a rate.
  func startPublishing(_ message: BareMessage, count: Int, perSecond rate: Int = 0) throws -> ChildProcess {
    let body = folder.appending(path: "body")
    try Data(message.body).write(to: body)
    return try ChildProcess(
      "publisher", client,
      [
        "publish", "--url", url, "--exchange", Self.exchange, "--key", message.key, "--count", "\(count)",
        "--window", "\(Self.window)", "--rate", "\(rate)", "--id", message.id, "--body", body.path(),
      ], folder: folder)
  }

  /// Waits until all of them are confirmed.
  func publishing(_ publisher: ChildProcess, count: Int, perSecond rate: Int = 0) throws -> Publishing {
    let limit = 60 + Double(count) / Double(rate > 0 ? rate : 500)
    return try JSONDecoder().decode(Publishing.self, from: Data(publisher.lastLine(atMost: limit).utf8))
  }
}
