// A bare client of RabbitMQ: publishes and consumes with librabbitmq as fast as one thread can. The baseline of ops/bench.
#pragma once
#include <amqp.h>
#include <stdint.h>
#include <stdnoreturn.h>

/// The options of the command line. Texts live as long as the process.
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
  /// A run of sixteen # in it, and in the body, is replaced to distinguish messages.
  const char *id;
  const char *body_file;
  /// The file for one `record` per received message; NULL for none.
  const char *records;
} options;

/// The consumer's record of a message, as in the file of records.
typedef struct {
  /// Nanoseconds since 1970.
  int64_t received;
  /// The part after the last @ of its message_id: the slot of a tick, or the time at which a bare message was sent.
  int64_t nominal;
  /// A hash of its message_id, to find duplicates: FNV-1a.
  uint64_t id;
  /// The first bytes of its message_id, to distinguish groups.
  char group[8];
} record;

static const amqp_channel_t bare_channel = 1;

/// Connects and logs in with the URL, and opens a channel. Ends the process on failure.
amqp_connection_state_t bare_connect(const char *url, const char **user);
void bare_close(amqp_connection_state_t state);
/// Ends the process unless the last request to the broker succeeded.
void bare_check(amqp_connection_state_t state, const char *what);
noreturn void bare_fail(const char *what, const char *why);
/// The wall clock in nanoseconds.
int64_t bare_now(void);
/// Processor time of this process in nanoseconds.
int64_t bare_processor(void);

void bare_publish(const options *asked);
void bare_consume(const options *asked);
