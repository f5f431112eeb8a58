import Foundation
import Glibc
import Synchronization

/// A TCP proxy on loopback in front of a broker, which breaks connections in a chosen way.
///
/// Its threads block in the kernel and end when it is closed.
final class AMQPProxy: Sendable {
  /// The fault of each connection.
  enum Fault: Sendable {
    case none
    /// Resets the connection after this many bytes from the client.
    case cutAfterSent(Int)
    /// Resets the connection after this many bytes to the client.
    case cutAfterReceived(Int)
    /// Delays each chunk, in both directions.
    case lag(milliseconds: UInt32)
  }

  enum Direction: Sendable {
    case toBroker, toClient
  }

  let port: UInt16
  private let listener: Int32
  private let brokerPort: UInt16
  private let fault: Fault
  private let isHole = Atomic(false)
  private let isPrompt = Atomic(false)
  private let isMute = Atomic(false)
  private let isClosed = Atomic(false)
  private let sockets = Mutex<Set<Int32>>([])
  private let cut = Mutex(Cut())

  /// A pending cut of the connection on which the bytes run out, and the number of cuts so far.
  private struct Cut {
    var direction = Direction.toBroker
    /// Nil for none.
    var left: Int?
    var count = 0

    /// How many of these bytes pass before the cut.
    mutating func pass(_ bytes: Int, _ direction: Direction) -> (bytes: Int, isMade: Bool) {
      guard direction == self.direction, let before = left else { return (bytes, false) }
      let passing = min(bytes, before)
      left = passing == before ? nil : before - passing
      if left == nil { count += 1 }
      return (passing, left == nil)
    }
  }

  init(to brokerPort: UInt16, _ fault: Fault = .none) throws {
    let listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    var address = Self.loopback(port: 0)
    var length = socklen_t(MemoryLayout.size(ofValue: address))
    let status = Self.withAddress(&address) { pointer in
      bind(listener, pointer, length) == 0 ? getsockname(listener, pointer, &length) : -1
    }
    guard status == 0, listen(listener, 16) == 0 else { throw Unexpected("no port for a proxy") }
    self.brokerPort = brokerPort
    self.fault = fault
    self.listener = listener
    port = UInt16(bigEndian: address.sin_port)
    Thread.detachNewThread { [self] in accept() }
  }

  /// From now on nothing passes and no connection ends, as in a network without a route.
  func becomeHole() { isHole.store(true, ordering: .relaxed) }

  /// After this many further bytes in one direction over all connections, resets the one on which they run out.
  func cut(after bytes: Int, _ direction: Direction) {
    cut.withLock {
      $0.direction = direction
      $0.left = bytes
    }
  }

  /// Cancels a pending cut.
  func cutNoMore() { cut.withLock { $0.left = nil } }

  /// The number of cuts so far.
  var cuts: Int { cut.withLock { $0.count } }

  /// Ends all connections.
  func endAll() { sockets.withLock { for socket in $0 { shutdown(socket, Int32(SHUT_RDWR)) } } }

  /// From now on nothing reaches the client; what it sends still arrives.
  func becomeMute() { isMute.store(true, ordering: .relaxed) }

  /// Ends the delay.
  func becomePrompt() { isPrompt.store(true, ordering: .relaxed) }

  func close() {
    isClosed.store(true, ordering: .relaxed)
    shutdown(listener, Int32(SHUT_RDWR))
    endAll()
  }

  private func accept() {
    while true {
      let client = Glibc.accept(listener, nil, nil)
      if client < 0 { break }
      let broker = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
      var address = Self.loopback(port: brokerPort)
      let length = socklen_t(MemoryLayout.size(ofValue: address))
      guard Self.withAddress(&address, { connect(broker, $0, length) }) == 0 else { break }
      sockets.withLock { $0.formUnion([client, broker]) }
      let (sent, received) = limits
      Thread.detachNewThread { [self] in
        let done = DispatchSemaphore(value: 0)
        Thread.detachNewThread { [self] in
          pass(.toClient, from: broker, to: client, limit: received)
          done.signal()
        }
        pass(.toBroker, from: client, to: broker, limit: sent)
        done.wait()
        sockets.withLock { $0.subtract([client, broker]) }
        for socket in [client, broker] { reset(socket) }
      }
    }
    Glibc.close(listener)
  }

  private var limits: (sent: Int, received: Int) {
    switch fault {
    case .none, .lag: (.max, .max)
    case .cutAfterSent(let count): (count, .max)
    case .cutAfterReceived(let count): (.max, count)
    }
  }

  /// Copies bytes until the end or the limit, then ends the other direction, too.
  private func pass(_ direction: Direction, from source: Int32, to target: Int32, limit: Int) {
    var buffer = [UInt8](repeating: 0, count: 16 * 1024)
    var left = limit
    while left > 0 {
      let count = recv(source, &buffer, min(buffer.count, left), 0)
      if count <= 0 { break }
      if case .lag(let milliseconds) = fault, !isPrompt.load(ordering: .relaxed) { usleep(milliseconds * 1000) }
      while isHeld(direction), !isClosed.load(ordering: .relaxed) { usleep(10_000) }
      let (passing, isCut) = cut.withLock { $0.pass(count, direction) }
      if send(target, buffer, passing, Int32(MSG_NOSIGNAL)) != passing || isCut { break }
      left -= passing
    }
    for socket in [source, target] { shutdown(socket, Int32(SHUT_RD)) }
  }

  private func isHeld(_ direction: Direction) -> Bool {
    isHole.load(ordering: .relaxed) || direction == .toClient && isMute.load(ordering: .relaxed)
  }

  /// Closes a socket so that its peer sees a reset.
  private func reset(_ socket: Int32) {
    var linger = linger(l_onoff: 1, l_linger: 0)
    setsockopt(socket, SOL_SOCKET, SO_LINGER, &linger, socklen_t(MemoryLayout.size(ofValue: linger)))
    Glibc.close(socket)
  }

  private static func loopback(port: UInt16) -> sockaddr_in {
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = port.bigEndian
    address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
    return address
  }

  private static func withAddress<Result>(
    _ address: inout sockaddr_in, _ body: (UnsafeMutablePointer<sockaddr>) -> Result
  ) -> Result {
    withUnsafeMutablePointer(to: &address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { body($0) }
    }
  }
}
