import HTTPTypes
import NIOCore
import NIOHTTPTypes

/// Closes connections whose client is too slow: with a request that stays incomplete, or by not reading the response.
/// The idle timeout does not cover them.
final class ConnectionHandler: ChannelDuplexHandler, RemovableChannelHandler {
  typealias InboundIn = HTTPRequestPart
  typealias InboundOut = HTTPRequestPart
  typealias OutboundIn = HTTPResponsePart
  typealias OutboundOut = HTTPResponsePart

  private let connections: OpenConnections
  /// From the head of a request to its end.
  private let requestTimeout: TimeAmount
  private let writeTimeout: TimeAmount
  /// How long input is drained after a response that was sent before the request was complete: closing with unread
  /// bytes resets the connection, and the client may lose the response.
  private static let linger = TimeAmount.seconds(1)

  private var entry: OpenConnections.Entry?
  /// Complete requests received, and complete responses written.
  private var received = 0
  private var answered = 0
  private var isEnding = false
  private var requestDeadline: Scheduled<Void>?
  private var writeDeadline: Scheduled<Void>?

  init(connections: OpenConnections, requestTimeout: TimeAmount, writeTimeout: TimeAmount) {
    self.connections = connections
    self.requestTimeout = requestTimeout
    self.writeTimeout = writeTimeout
  }

  func handlerAdded(context: ChannelHandlerContext) { entry = connections.open(context.channel) }

  func handlerRemoved(context: ChannelHandlerContext) { end() }

  func channelInactive(context: ChannelHandlerContext) {
    end()
    context.fireChannelInactive()
  }

  private func end() {
    requestDeadline?.cancel()
    writeDeadline?.cancel()
    if let entry { connections.remove(entry) }
    entry = nil
  }

  private func setWaiting(_ isWaiting: Bool) {
    if let entry { connections.set(entry, isWaiting: isWaiting) }
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    if isEnding { return }
    switch unwrapInboundIn(data) {
    case .head:
      requestDeadline = close(context.channel, in: requestTimeout)
    case .body: break
    case .end:
      requestDeadline?.cancel()
      received += 1
      setWaiting(false)
    }
    context.fireChannelRead(data)
  }

  func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
    let isEarly = answered >= received
    switch unwrapOutboundIn(data) {
    case .head(var head) where isEarly && head.status.kind != .informational:
      head.headerFields[.connection] = "close"
      context.write(wrapOutboundOut(.head(head)), promise: promise)
    case .end:
      answered += 1
      context.write(data, promise: promise)
      if isEarly { endEarly(context) } else if answered == received { setWaiting(true) }
    default: context.write(data, promise: promise)
    }
  }

  private func endEarly(_ context: ChannelHandlerContext) {
    isEnding = true
    requestDeadline?.cancel()
    context.flush()
    context.close(mode: .output, promise: nil)
    requestDeadline = close(context.channel, in: Self.linger)
  }

  func channelWritabilityChanged(context: ChannelHandlerContext) {
    writeDeadline?.cancel()
    writeDeadline = nil
    setWaiting(!context.channel.isWritable || answered == received)
    if !context.channel.isWritable { writeDeadline = close(context.channel, in: writeTimeout) }
    context.fireChannelWritabilityChanged()
  }

  private func close(_ channel: any Channel, in time: TimeAmount) -> Scheduled<Void> {
    channel.eventLoop.scheduleTask(in: time) { channel.close(promise: nil) }
  }
}
