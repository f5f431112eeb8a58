#include <amqp_tcp_socket.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "bare.h"

noreturn void bare_fail(const char *what, const char *why) {
  fprintf(stderr, "bare-client: %s: %s\n", what, why);
  exit(1);
}

static int64_t read_clock(clockid_t clock) {
  struct timespec now;
  clock_gettime(clock, &now);
  return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

int64_t bare_now(void) { return read_clock(CLOCK_REALTIME); }

int64_t bare_processor(void) { return read_clock(CLOCK_PROCESS_CPUTIME_ID); }

static void check_reply(amqp_rpc_reply_t reply, const char *what) {
  if (reply.reply_type == AMQP_RESPONSE_NORMAL) return;
  if (reply.reply_type == AMQP_RESPONSE_SERVER_EXCEPTION) bare_fail(what, amqp_method_name(reply.reply.id));
  bare_fail(what, amqp_error_string2(reply.library_error));
}

void bare_check(amqp_connection_state_t state, const char *what) { check_reply(amqp_get_rpc_reply(state), what); }

amqp_connection_state_t bare_connect(const char *url, const char **user) {
  struct amqp_connection_info broker;
  char *parts = strdup(url);  // never freed: the broker's parts point into it
  amqp_default_connection_info(&broker);
  if (amqp_parse_url(parts, &broker) != AMQP_STATUS_OK) bare_fail(url, "no AMQP URL");
  amqp_connection_state_t state = amqp_new_connection();
  int status = amqp_socket_open(amqp_tcp_socket_new(state), broker.host, broker.port);
  if (status != AMQP_STATUS_OK) bare_fail("connect", amqp_error_string2(status));
  check_reply(amqp_login(state, broker.vhost, 1, AMQP_DEFAULT_FRAME_SIZE, 0, AMQP_SASL_METHOD_PLAIN, broker.user,
                         broker.password),
              "log in");
  amqp_channel_open(state, bare_channel);
  bare_check(state, "open a channel");
  *user = broker.user;
  return state;
}

void bare_close(amqp_connection_state_t state) {
  amqp_connection_close(state, AMQP_REPLY_SUCCESS);
  amqp_destroy_connection(state);
}
