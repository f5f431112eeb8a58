import Foundation
import HTTPTypes
import Hummingbird
import NIOPosix
import Scheduling
import ServiceLifecycle

/// A copy of the database, for `pocketwatch backup`. POST, so that no link can trigger it.
extension AdminRoutes {
  private static let blockBytes = 256 * 1024

  func addBackup(to router: Router<BasicRequestContext>) {
    router.post("/api/v1/backup") { request, _ in
      // A client that disconnects cancels the copy.
      let copy = try await request.body.consumeWithCancellationOnInboundClose { _ in try await source.backUp() }
      let body = ResponseBody(contentLength: copy.file.size) { writer in
        try await Self.write(copy, to: &writer)
        try await writer.finish(nil)
      }
      var headers: HTTPFields = [
        .contentType: "application/vnd.sqlite3", .contentDisposition: #"attachment; filename="pocketwatch.sqlite""#,
      ]
      headers.append(contentsOf: Self.headers(of: copy.origin))
      return Response(status: .ok, headers: headers, body: body)
    }
  }

  private static func headers(of origin: DatabaseOrigin) -> [HTTPField] {
    let values = [
      (BackupHeader.stack, origin.stack), (BackupHeader.files, origin.files.joined(separator: " ")),
      (BackupHeader.database, origin.path.addingPercentEncoding(withAllowedCharacters: .urlPathAllowed) ?? ""),
    ]
    return values.compactMap { name, value in HTTPField.Name(name).map { HTTPField(name: $0, value: value) } }
  }

  /// Throws on a short copy; the client notices by the Content-Length.
  @concurrent
  private static func write(_ copy: DatabaseCopy, to writer: inout any ResponseBodyWriter) async throws {
    var offset = 0
    while offset < copy.file.size {
      if Task.isShuttingDownGracefully { throw AdminError(.unavailable, "the service is stopping") }
      let position = offset
      let block = try await NIOThreadPool.singleton.runIfActive {
        try copy.file.read(at: position, count: blockBytes)
      }
      guard !block.isEmpty else { throw AdminError(.unavailable, "the copy was truncated while it was read") }
      try await writer.write(ByteBuffer(bytes: block))
      offset += block.count
    }
  }
}
