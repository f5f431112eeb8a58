// librabbitmq as Sources/AMQP uses it; nothing else in this package imports it.
#pragma once
#include <sys/time.h>
#include <amqp.h>
#include <amqp_ssl_socket.h>
#include <amqp_tcp_socket.h>

/// amqp_login_with_properties with SASL PLAIN on one channel: the original is variadic, which Swift cannot call.
static inline amqp_rpc_reply_t cr_login_plain(amqp_connection_state_t state, const char *vhost, int frame_max,
                                              int heartbeat_seconds, const amqp_table_t *client_properties,
                                              const char *user, const char *password) {
  return amqp_login_with_properties(state, vhost, 1, frame_max, heartbeat_seconds, client_properties,
                                    AMQP_SASL_METHOD_PLAIN, user, password);
}

/// Answers a request for a key's passphrase with nothing, so that OpenSSL refuses an encrypted key instead of asking on
/// the terminal. The library keeps the pointer, hence a literal.
static inline void cr_refuse_encrypted_key(amqp_socket_t *socket) { amqp_ssl_socket_set_key_passwd(socket, ""); }
