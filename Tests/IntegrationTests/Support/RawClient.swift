import AMQP
import Foundation
import Glibc

/// An AMQP client with one channel for what `Connection` does not do: several consumers, requeueing, recovery, and resets. It
/// blocks its thread and sends no heartbeats.
final class RawClient {
  struct Delivery: Equatable {
    let consumerTag: String
    let tag: UInt64
    let isRedelivered: Bool
    let body: String
    /// The integers among its headers.
    let numbers: [String: Int]
  }

  /// What the broker ended.
  enum Ending: Equatable {
    case consumerCancelled(tag: String)
    case channelClosed(code: UInt16)
  }

  private struct Method: Equatable {
    let id: UInt32

    init(_ classID: UInt16, _ methodID: UInt16) { id = UInt32(classID) << 16 | UInt32(methodID) }
    init(id: UInt32) { self.id = id }
  }

  private let file: Int32
  private var deliveries: [Delivery] = []
  private(set) var endings: [Ending] = []

  init(_ url: BrokerURL) throws {
    file = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = url.port.bigEndian
    address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
    let status = withUnsafePointer(to: &address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        connect(file, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
      }
    }
    guard status == 0 else { throw Unexpected("no connection: \(String(cString: strerror(errno)))") }
    // A frame is sent when it is written.
    var isOn: Int32 = 1
    setsockopt(file, Int32(IPPROTO_TCP), TCP_NODELAY, &isOn, socklen_t(MemoryLayout<Int32>.size))
    try logIn(url)
  }

  deinit { abort() }

  private var isOpen = true

  private func logIn(_ url: BrokerURL) throws {
    try write(Array("AMQP".utf8) + [0, 0, 9, 1])
    _ = try reply(Method(10, 10))
    let capabilities = [UInt8(ascii: "F")] + .table([("consumer_cancel_notify", .flag(true))])
    try send(
      Method(10, 11),
      .table([("capabilities", capabilities)]) + .shortText("PLAIN") + .longText("\0\(url.user)\0\(url.password)")
        + .shortText("en_US"), channel: 0)
    var tune = try reply(Method(10, 30))
    let (channelMax, frameMax) = (try tune.number(UInt16.self), try tune.number(UInt32.self))
    try send(Method(10, 31), .number(channelMax) + .number(frameMax) + .number(UInt16(0)), channel: 0)
    try send(Method(10, 40), .shortText(url.virtualHost) + .shortText("") + [0], channel: 0)
    _ = try reply(Method(10, 41))
    try openChannel()
  }

  func openChannel() throws { _ = try call(Method(20, 10), .shortText(""), reply: Method(20, 11)) }

  // MARK: Queues and messages

  func declare(_ queue: String, _ arguments: [(name: String, value: [UInt8])]) throws {
    let durable: UInt8 = 2
    _ = try call(
      Method(50, 10), .number(UInt16(0)) + .shortText(queue) + [durable] + .table(arguments), reply: Method(50, 11))
  }

  /// The number of ready messages of a queue.
  func readyCount(of queue: String) throws -> Int {
    let passive: UInt8 = 1
    var answer = try call(
      Method(50, 10), .number(UInt16(0)) + .shortText(queue) + [passive] + .table([]), reply: Method(50, 11))
    _ = try answer.shortText()
    return Int(try answer.number(UInt32.self))
  }

  func enableConfirms() throws { _ = try call(Method(85, 10), [0], reply: Method(85, 11)) }

  /// Publishes a message with an address for replies to an exchange.
  func publish(_ text: String, to exchange: String, _ routingKey: String, replyTo: String) throws {
    try send(Method(60, 40), .number(UInt16(0)) + .shortText(exchange) + .shortText(routingKey) + [0])
    let replyFlag: UInt16 = 1 << 9
    try write(
      RawFrame.header,
      .number(UInt16(60)) + .number(UInt16(0)) + .number(UInt64(text.utf8.count)) + .number(replyFlag)
        + .shortText(replyTo))
    try write(RawFrame.body, Array(text.utf8))
  }

  /// Publishes a persistent message to a queue and waits for its confirm.
  func publish(_ text: String, to queue: String) throws {
    try send(Method(60, 40), .number(UInt16(0)) + .shortText("") + .shortText(queue) + [0])
    let deliveryMode: UInt16 = 1 << 12
    try write(
      RawFrame.header,
      .number(UInt16(60)) + .number(UInt16(0)) + .number(UInt64(text.utf8.count)) + .number(deliveryMode) + [2])
    try write(RawFrame.body, Array(text.utf8))
    _ = try reply(Method(60, 80))
  }

  // MARK: Consuming

  func consume(_ queue: String, tag: String, prefetch: Int, acknowledges: Bool = true) throws {
    try setPrefetch(prefetch)
    let flags: UInt8 = acknowledges ? 0 : 2
    let request: [UInt8] = .number(UInt16(0)) + .shortText(queue) + .shortText(tag) + [flags] + .table([])
    _ = try call(Method(60, 20), request, reply: Method(60, 21))
  }

  func cancel(_ tag: String) throws { _ = try call(Method(60, 30), .shortText(tag) + [0], reply: Method(60, 31)) }

  /// This and the following return once the channel has passed it on to the queue.
  func acknowledge(_ tag: UInt64, multiple: Bool) throws {
    try settle(Method(60, 80), .number(tag) + [multiple ? 1 : 0])
  }

  func reject(_ tag: UInt64) throws { try settle(Method(60, 90), .number(tag) + [0]) }

  func requeue(_ tag: UInt64, multiple: Bool) throws {
    try settle(Method(60, 120), .number(tag) + [(multiple ? 1 : 0) | 2])
  }

  func recover() throws { _ = try call(Method(60, 110), [1], reply: Method(60, 111)) }

  private func settle(_ method: Method, _ arguments: [UInt8]) throws {
    try send(method, arguments)
    try setPrefetch(1)
  }

  /// For later consumers; also a way to wait until the channel has handled everything before it.
  private func setPrefetch(_ count: Int) throws {
    _ = try call(Method(60, 10), .number(UInt32(0)) + .number(UInt16(count)) + [0], reply: Method(60, 11))
  }

  /// Waits for `count` deliveries and takes them in order.
  func take(_ count: Int) throws -> [Delivery] {
    while deliveries.count < count { try handleFrame() }
    defer { deliveries.removeFirst(count) }
    return Array(deliveries.prefix(count))
  }

  /// Deliveries that arrived and were not taken, without waiting.
  var untaken: [Delivery] { deliveries }

  func waitForEnding() throws -> Ending {
    while endings.isEmpty { try handleFrame() }
    return endings.removeFirst()
  }

  // MARK: Ends

  func closeChannel() throws {
    _ = try call(Method(20, 40), .number(UInt16(200)) + .shortText("") + .number(UInt32(0)), reply: Method(20, 41))
  }

  func close() throws {
    let bye: [UInt8] = .number(UInt16(200)) + .shortText("") + .number(UInt32(0))
    try send(Method(10, 50), bye, channel: 0)
    _ = try reply(Method(10, 51))
    abort()
  }

  /// Resets the connection, as the kernel does for a killed process with unread data in its sockets.
  func abort() {
    guard isOpen else { return }
    isOpen = false
    var linger = linger(l_onoff: 1, l_linger: 0)
    setsockopt(file, SOL_SOCKET, SO_LINGER, &linger, socklen_t(MemoryLayout<linger>.size))
    Glibc.close(file)
  }

  // MARK: Frames

  private func call(_ method: Method, _ arguments: [UInt8], reply: Method) throws -> RawBytes {
    try send(method, arguments)
    return try self.reply(reply)
  }

  private func send(_ method: Method, _ arguments: [UInt8], channel: UInt16 = 1) throws {
    try write(RawFrame.method, .number(method.id) + arguments, channel: channel)
  }

  private func write(_ type: UInt8, _ payload: [UInt8], channel: UInt16 = 1) throws {
    try write([type] + .number(channel) + .number(UInt32(payload.count)) + payload + [0xCE])
  }

  private func write(_ bytes: [UInt8]) throws {
    var left = bytes[...]
    while !left.isEmpty {
      let count = left.withUnsafeBytes { Glibc.send(file, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
      guard count > 0 else { throw Unexpected("cannot write: \(String(cString: strerror(errno)))") }
      left = left.dropFirst(count)
    }
  }

  private func reply(_ wanted: Method) throws -> RawBytes {
    while true {
      if let (method, arguments) = try handleFrame(), method == wanted { return arguments }
    }
  }

  /// Reads a frame; keeps a delivery or an end, and returns any other method.
  @discardableResult
  private func handleFrame() throws -> (Method, RawBytes)? {
    var frame = try readFrame()
    guard frame.type == RawFrame.method else { return nil }
    let method = Method(id: try frame.payload.number())
    switch method {
    case Method(60, 60): deliveries.append(try readDelivery(&frame.payload))
    case Method(60, 30): endings.append(.consumerCancelled(tag: try frame.payload.shortText()))
    case Method(20, 40):
      endings.append(.channelClosed(code: try frame.payload.number()))
      try send(Method(20, 41), [])
    default: return (method, frame.payload)
    }
    return nil
  }

  private func readDelivery(_ method: inout RawBytes) throws -> Delivery {
    let (consumerTag, tag) = (try method.shortText(), try method.number(UInt64.self))
    let isRedelivered = try method.number(UInt8.self) != 0
    var header = try readFrame().payload
    _ = try header.number(UInt32.self)
    let size = Int(try header.number(UInt64.self))
    let flags = try header.number(UInt16.self)
    for flag in [15, 14] where flags & 1 << flag != 0 { _ = try header.shortText() }  // content type and encoding
    let hasHeaders = flags & 1 << 13 != 0
    let numbers = hasHeaders ? try header.numbers() : [:]
    var body: [UInt8] = []
    while body.count < size {
      var frame = try readFrame()
      body += frame.payload.rest()
    }
    return Delivery(
      consumerTag: consumerTag, tag: tag, isRedelivered: isRedelivered, body: String(decoding: body, as: UTF8.self),
      numbers: numbers)
  }

  private func readFrame() throws -> RawFrame {
    let head = try read(7)
    var numbers = RawBytes(Array(head[3...]))
    let payload = try read(Int(numbers.number(UInt32.self)) + 1)
    return RawFrame(type: head[0], payload: RawBytes(Array(payload.dropLast())))
  }

  private func read(_ count: Int) throws -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: count)
    var have = 0
    while have < count {
      var waiting = pollfd(fd: file, events: Int16(POLLIN), revents: 0)
      guard poll(&waiting, 1, Self.patienceMilliseconds) > 0 else { throw Unexpected("nothing was received in time") }
      let got = bytes.withUnsafeMutableBytes { Glibc.read(file, $0.baseAddress?.advanced(by: have), count - have) }
      guard got > 0 else { throw Unexpected("the connection has ended") }
      have += got
    }
    return bytes
  }

  private static let patienceMilliseconds: Int32 = 60_000
}
