import Foundation
import HTTPTypes
import Hummingbird
import NIOPosix
import Scheduling
import ServiceLifecycle

/// A copy of the database, for `pocketwatch backup`. POST, because it costs something: no link leads there.
extension AdminRoutes {
  private static let blockBytes = 256 * 1024

  func addBackup(to router: Router<BasicRequestContext>) {
    router.post("/api/v1/backup") { request, _ in
      // Whoever asked may go away while the copy is made; then nobody wants it.
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

  /// A reader sees by the length that it has not got all.
  @concurrent
  private static func write(_ copy: DatabaseCopy, to writer: inout any ResponseBodyWriter) async throws {
    var offset = 0
    while offset < copy.file.size {
      if Task.isShuttingDownGracefully { throw AdminError(.unavailable, "the service is stopping") }
      let place = offset
      let block = try await NIOThreadPool.singleton.runIfActive {
        try copy.file.read(at: place, count: blockBytes)
      }
      guard !block.isEmpty else { throw AdminError(.unavailable, "the copy is shorter than it was") }
      try await writer.write(ByteBuffer(bytes: block))
      offset += block.count
    }
  }
}
