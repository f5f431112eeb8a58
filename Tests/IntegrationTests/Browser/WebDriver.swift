import Foundation

/// W3C WebDriver as chromedriver speaks it: JSON over HTTP. By curl, since URLSession on Linux cannot read headers
/// without a space behind the colon.
struct WebDriver: Sendable {
  /// A command that chromedriver refused.
  struct Failure: Error, CustomStringConvertible {
    let description: String
  }

  private struct Answer<Value: Decodable>: Decodable {
    var value: Value
  }

  private struct Refusal: Decodable {
    var error, message: String
  }

  /// The base address of all commands: `http://127.0.0.1:9515/session`, then the id of the session.
  var base: String

  /// Sends a command and reads its answer. Members are values of JSON.
  @discardableResult
  func call<Value: Decodable>(
    _ method: String, _ path: String, _ members: [String: Any]? = nil, as type: Value.Type = Nothing.self
  ) async throws -> Value {
    var arguments = ["--silent", "--show-error", "--max-time", "120", "--request", method]
    if let members {
      let body = try JSONSerialization.data(withJSONObject: members)
      arguments += ["--header", "Content-Type: application/json", "--data-raw", String(decoding: body, as: UTF8.self)]
    }
    let answer = try await Program.run("/usr/bin/curl", arguments + [base + path])
    let data = Data(answer.output.utf8)
    if let refusal = try? JSONDecoder().decode(Answer<Refusal>.self, from: data).value {
      throw Failure(description: "\(method) \(path): \(refusal.error): \(refusal.message)")
    }
    guard answer.code == 0 else { throw Failure(description: "\(method) \(path): \(answer.complaint)") }
    return try JSONDecoder().decode(Answer<Value>.self, from: data).value
  }
}

/// An ignored answer.
struct Nothing: Decodable {
  init(from decoder: any Decoder) {}
}
