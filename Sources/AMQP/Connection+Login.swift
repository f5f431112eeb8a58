import CRabbitMQ
import Glibc

extension Connection {
  /// Requested at login; the broker may lower it. RabbitMQ 4.1 requires at least 8192.
  private static let frameMax: CInt = 131_072
  private static let leastFrameMax: CInt = 8192

  /// Connects, with TLS if the URL says so.
  func openSocket() throws(AMQPError) {
    let state = try usable()
    guard let socket = url.usesTLS ? try makeTLSSocket(state) : amqp_tcp_socket_new(state) else {
      throw fail(error(.unreachable, "cannot create a socket"))
    }
    var timeout = options.connectTimeout.timeval
    errno = 0
    let status = amqp_socket_open_noblock(socket, url.host, CInt(url.port), &timeout)
    if status < 0 { throw fail(openingError(status, errno)) }
    limitSendTime(amqp_get_sockfd(state))
  }

  /// A socket that verifies the broker's certificate and host name, with TLS 1.2 or newer.
  private func makeTLSSocket(_ state: amqp_connection_state_t) throws(AMQPError) -> OpaquePointer? {
    guard let tls = options.tls else {
      throw fail(error(.invalidConfiguration, "amqps:// requires a CA file to verify the broker"))
    }
    guard let socket = amqp_ssl_socket_new(state) else { return nil }
    amqp_ssl_socket_set_verify_peer(socket, 1)
    amqp_ssl_socket_set_verify_hostname(socket, 1)
    cr_refuse_encrypted_key(socket)
    if amqp_ssl_socket_set_ssl_versions(socket, AMQP_TLSv1_2, AMQP_TLSvLATEST) < 0 {
      throw fail(error(.tls, "OpenSSL does not support TLS 1.2"))
    }
    if amqp_ssl_socket_set_cacert(socket, tls.caFile) < 0 {
      throw fail(error(.invalidConfiguration, "cannot read certificate authorities from \(tls.caFile)"))
    }
    switch (tls.certificateFile, tls.keyFile) {
    case (let certificate?, let key?):
      if amqp_ssl_socket_set_key(socket, certificate, key) < 0 {
        throw fail(
          error(
            .invalidConfiguration, "cannot read a certificate and its unencrypted key from \(certificate) and \(key)"))
      }
    case (nil, nil): break
    default: throw fail(error(.invalidConfiguration, "a client certificate requires both its file and its key file"))
    }
    return socket
  }

  private func openingError(_ status: CInt, _ errorNumber: CInt) -> AMQPError {
    var kind = AMQPError.Kind(status: status)
    if kind == .connectionLost || kind == .timeout { kind = .unreachable }
    var text = String(cString: amqp_error_string2(status))
    if status == AMQP_STATUS_SOCKET_ERROR.rawValue {
      // The library does not report why a connect failed that did not fail at once.
      let isKnown = errorNumber != 0 && errorNumber != EINPROGRESS
      text = isKnown ? String(cString: strerror(errorNumber)) : "connection refused, or no route to host"
    }
    return error(kind, text)
  }

  /// Limits how long sent data may stay unacknowledged to two heartbeats. The library has no send timeout: with a full
  /// socket, a frozen broker would block it forever.
  private func limitSendTime(_ socket: CInt) {
    var milliseconds = CUnsignedInt(max(1, options.heartbeatSeconds)) * 2000
    setsockopt(
      socket, CInt(IPPROTO_TCP), TCP_USER_TIMEOUT, &milliseconds, socklen_t(MemoryLayout.size(ofValue: milliseconds)))
  }

  func logIn() throws(AMQPError) {
    let state = try usable()
    var timeout = options.rpcTimeout.timeval
    amqp_set_handshake_timeout(state, &timeout)
    amqp_set_rpc_timeout(state, &timeout)
    var properties = clientProperties.encoded(in: arena)
    let reply = cr_login_plain(
      state, url.virtualHost, Self.frameMax, CInt(max(1, options.heartbeatSeconds)), &properties, url.user, url.password
    )
    arena.recycle()
    if reply.reply_type != AMQP_RESPONSE_NORMAL { throw fail(loginError(reply)) }
    noteServer(state)
    if amqp_get_frame_max(state) < Self.leastFrameMax {
      throw fail(
        error(
          .topology,
          "its frame_max is \(server.frameMax) bytes. Set it to at least \(Self.leastFrameMax) in rabbitmq.conf (the"
            + " default is \(Self.frameMax)), and restart the broker"))
    }
  }

  /// Without these capabilities the broker reports neither a deleted queue nor blocked publishing.
  private var clientProperties: Table {
    [
      "product": .string(options.product),
      "version": .string(options.version),
      "platform": "Swift",
      "connection_name": .string(options.connectionName),
      "capabilities": .table([
        "publisher_confirms": true, "basic.nack": true, "consumer_cancel_notify": true, "connection.blocked": true,
      ]),
    ]
  }

  private func loginError(_ reply: amqp_rpc_reply_t) -> AMQPError {
    if reply.reply_type == AMQP_RESPONSE_SERVER_EXCEPTION, reply.reply.id == AMQP_CONNECTION_CLOSE_METHOD {
      let close = reply.reply.decoded.load(as: amqp_connection_close_t.self)
      let refused = close.reply_code == ReplyCode.accessRefused || close.reply_code == ReplyCode.notAllowed
      return error(refused ? .refusedLogin : .connectionClosed(code: close.reply_code), close.reply_text.string)
    }
    let status = reply.library_error
    var text = "\(String(cString: amqp_error_string2(status))) during login"
    // A TLS port closes the connection when it receives no handshake.
    if !url.usesTLS, status == AMQP_STATUS_SOCKET_ERROR.rawValue || status == AMQP_STATUS_CONNECTION_CLOSED.rawValue {
      text += ". If port \(url.port) expects TLS, the URL must begin with amqps://"
    }
    return error(.init(status: status), text)
  }

  private func noteServer(_ state: amqp_connection_state_t) {
    let properties = Table(amqp_get_server_properties(state).pointee)
    server.product = properties["product"]?.text ?? ""
    server.version = properties["version"]?.text ?? ""
    server.clusterName = properties["cluster_name"]?.text ?? ""
    server.frameMax = Int(amqp_get_frame_max(state))
    server.heartbeatSeconds = Int(amqp_get_heartbeat(state))
  }
}
