import AsyncHTTPClient
import Foundation
import NIOCore
import NIOHTTP1
import NIOPosix
import NIOSSL

/// Why a request failed.
struct HTTPFailure: Error, Sendable {
  var message: String
  /// Whether no connection could be established.
  var isUnreachable = false

  init(_ message: String, isUnreachable: Bool = false) {
    self.message = message
    self.isUnreachable = isUnreachable
  }

  /// Translates any error of a request for people.
  init(_ error: any Error) {
    switch error {
    case let error as HTTPFailure: self = error
    case let error as NIOConnectionError:
      self.init(
        error.connectionErrors.first.map { Self.message(of: $0.error) } ?? "no such host", isUnreachable: true)
    default: self.init(Self.message(of: error), isUnreachable: Self.isUnreachable(error))
    }
  }

  /// An address that is not a name fails with a plain `IOError`.
  private static func isUnreachable(_ error: any Error) -> Bool {
    let codes = [ECONNREFUSED, EHOSTUNREACH, ENETUNREACH, ETIMEDOUT]
    return error as? HTTPClientError == .connectTimeout
      || (error as? IOError).map { codes.contains($0.errnoCode) } ?? false
  }

  private static func message(of error: any Error) -> String {
    switch error {
    case let error as HTTPClientError: message(of: error)
    case let error as IOError: String(cString: strerror(error.errnoCode))
    case is HTTPParserError: "not an HTTP response, or an incomplete one"
    case ChannelError.connectTimeout: connectTimedOut
    case NIOSSLError.noSuchFilesystemObject, NIOSSLError.failedToLoadCertificate: "the CA file cannot be read"
    case is NIOSSLError, is NIOSSLExtraError, is BoringSSLError: tlsMessage("\(error)")
    default: "\(error)"
    }
  }

  private static let connectTimedOut = "connection timed out after 5 s"

  private static func message(of error: HTTPClientError) -> String {
    switch error {
    case .connectTimeout: connectTimedOut
    case .deadlineExceeded, .readTimeout: "no response within 10 s"
    case .remoteConnectionClosed: "the connection was closed before the response was complete"
    case .tlsHandshakeTimeout: "the TLS handshake timed out"
    default: "\(error)"
    }
  }

  /// The causes of a failed handshake that an operator can fix, by what BoringSSL and NIO call them.
  private static let tlsCauses = [
    ("CERTIFICATE_VERIFY_FAILED", "the certificate is not signed by a trusted CA; pass its CA with --ca-file"),
    ("failedToValidateHostname", "the certificate is for another host"),
    ("WRONG_VERSION_NUMBER", "the port does not use TLS"),
  ]

  private static func tlsMessage(_ text: String) -> String {
    "TLS: " + (tlsCauses.first { text.contains($0.0) }?.1 ?? text)
  }
}
