// A bare client of RabbitMQ: publishes and consumes on librabbitmq as fast as one thread can. The yardstick of ops/bench.
#pragma once
#include <amqp.h>
#include <stdint.h>
#include <stdnoreturn.h>

/// What the command line asks for. Every text lives as long as the process.
typedef struct {
  const char *url;
  const char *exchange;
  const char *key;
  const char *queue;
  /// Messages to publish, or to wait for; 0 when consuming: until SIGTERM.
  uint64_t count;
  /// The most unconfirmed messages.
  uint64_t window;
  /// Messages a second, evenly spread; 0 as fast as it goes.
  uint64_t rate;
  /// A run of sixteen # in it, and in the body, becomes what tells one message from another.
  const char *id;
  const char *body_file;
  /// Where to leave one `record` for each message that came; NULL for nowhere.
  const char *records;
} options;

/// What the consumer notes of a message, as it stands in the file of records.
typedef struct {
  /// Nanoseconds since 1970.
  int64_t received;
  /// What stands behind the last @ of its message_id: the slot of a tick, or when a bare message was sent.
  int64_t nominal;
  /// A hash of its message_id, to find what came twice: FNV-1a.
  uint64_t id;
  /// The first bytes of its message_id, to tell groups apart.
  char group[8];
} record;

static const amqp_channel_t bare_channel = 1;

/// A connection with its one channel open, and the login of the URL. The process ends when there is none to be had.
amqp_connection_state_t bare_connect(const char *url, const char **user);
void bare_close(amqp_connection_state_t state);
/// Ends the process unless the last request to the broker went well.
void bare_check(amqp_connection_state_t state, const char *what);
noreturn void bare_fail(const char *what, const char *why);
/// The wall clock in nanoseconds.
int64_t bare_now(void);
/// Processor time of this process in nanoseconds.
int64_t bare_processor(void);

void bare_publish(const options *asked);
void bare_consume(const options *asked);
