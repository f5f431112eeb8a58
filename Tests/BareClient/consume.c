#define _GNU_SOURCE
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "bare.h"

enum {
  prefetch = 2000,
  /// Acknowledged together, at the latest when nothing has arrived for the time of `quiet`.
  ack_batch = 500,
};
static const struct timeval quiet = {0, 20000};

typedef struct {
  const options *asked;
  amqp_connection_state_t connection;
  FILE *records;
  uint64_t received;
  /// Of the message being received.
  uint64_t tag, body_left;
  record noted;
  uint64_t acknowledged;
} consumer;

static volatile sig_atomic_t is_asked_to_end = 0;

static void ask_to_end(int signal) {
  (void)signal;
  is_asked_to_end = 1;
}

/// A durable quorum queue of our own, as for a consumer that must lose nothing.
static void declare_queue(consumer *self) {
  amqp_table_entry_t type = {.key = amqp_cstring_bytes("x-queue-type"),
                             .value = {.kind = AMQP_FIELD_KIND_UTF8, .value.bytes = amqp_cstring_bytes("quorum")}};
  amqp_bytes_t queue = amqp_cstring_bytes(self->asked->queue);
  amqp_queue_declare(self->connection, bare_channel, queue, 0, 1, 0, 0,
                     (amqp_table_t){.num_entries = 1, .entries = &type});
  bare_check(self->connection, "declare the queue");
  amqp_queue_bind(self->connection, bare_channel, queue, amqp_cstring_bytes(self->asked->exchange),
                  amqp_cstring_bytes(self->asked->key), amqp_empty_table);
  bare_check(self->connection, "bind the queue");
  amqp_basic_qos(self->connection, bare_channel, 0, prefetch, 0);
  bare_check(self->connection, "set the prefetch");
  amqp_basic_consume(self->connection, bare_channel, queue, amqp_empty_bytes, 0, 0, 0, amqp_empty_table);
  bare_check(self->connection, "consume");
}

/// Nanoseconds from RFC 3339 with milliseconds and Z, or from digits.
static int64_t instant(const char *text, size_t length) {
  char copy[32] = {0};
  memcpy(copy, text, length < sizeof copy - 1 ? length : sizeof copy - 1);
  struct tm civil = {0};
  int milliseconds;
  if (!memchr(text, 'T', length)) return strtoll(copy, NULL, 10);
  if (sscanf(copy, "%d-%d-%dT%d:%d:%d.%dZ", &civil.tm_year, &civil.tm_mon, &civil.tm_mday, &civil.tm_hour,
             &civil.tm_min, &civil.tm_sec, &milliseconds) != 7)
    return 0;
  civil.tm_year -= 1900;
  civil.tm_mon -= 1;
  return (int64_t)timegm(&civil) * 1000000000 + (int64_t)milliseconds * 1000000;
}

static void note(consumer *self, const amqp_basic_properties_t *properties) {
  self->noted = (record){.received = bare_now()};
  amqp_bytes_t id = properties->message_id;
  if (!(properties->_flags & AMQP_BASIC_MESSAGE_ID_FLAG) || !id.bytes) return;
  memcpy(self->noted.group, id.bytes, id.len < sizeof self->noted.group ? id.len : sizeof self->noted.group);
  self->noted.id = 0xcbf29ce484222325;
  for (size_t each = 0; each < id.len; each++)
    self->noted.id = (self->noted.id ^ ((unsigned char *)id.bytes)[each]) * 0x100000001b3;
  const char *at = memrchr(id.bytes, '@', id.len);
  if (at && self->records) self->noted.nominal = instant(at + 1, (size_t)((char *)id.bytes + id.len - at - 1));
}

static void acknowledge(consumer *self) {
  if (self->acknowledged == self->tag) return;
  self->acknowledged = self->tag;
  int status = amqp_basic_ack(self->connection, bare_channel, self->tag, 1);
  if (status != AMQP_STATUS_OK) bare_fail("acknowledge", amqp_error_string2(status));
}

static void finish_message(consumer *self) {
  self->received++;
  if (self->records) fwrite(&self->noted, sizeof self->noted, 1, self->records);
  if (self->tag - self->acknowledged >= ack_batch) acknowledge(self);
}

static void handle(consumer *self, const amqp_frame_t *frame) {
  switch (frame->frame_type) {
    case AMQP_FRAME_METHOD:
      if (frame->payload.method.id != AMQP_BASIC_DELIVER_METHOD)
        bare_fail("consume", amqp_method_name(frame->payload.method.id));
      self->tag = ((amqp_basic_deliver_t *)frame->payload.method.decoded)->delivery_tag;
      return;
    case AMQP_FRAME_HEADER:
      note(self, frame->payload.properties.decoded);
      self->body_left = frame->payload.properties.body_size;
      break;
    case AMQP_FRAME_BODY:
      self->body_left -= frame->payload.body_fragment.len;
      break;
    default:
      return;
  }
  if (self->body_left == 0) finish_message(self);
}

static void receive_all(consumer *self) {
  while (!is_asked_to_end && (self->asked->count == 0 || self->received < self->asked->count)) {
    amqp_frame_t frame;
    int status = amqp_simple_wait_frame_noblock(self->connection, &frame, &quiet);
    if (status == AMQP_STATUS_TIMEOUT) {
      acknowledge(self);
    } else if (status == AMQP_STATUS_OK) {
      handle(self, &frame);
    } else {
      bare_fail("consume", amqp_error_string2(status));
    }
    amqp_maybe_release_buffers(self->connection);
  }
  acknowledge(self);
}

void bare_consume(const options *asked) {
  const char *user;
  consumer self = {.asked = asked, .connection = bare_connect(asked->url, &user)};
  if (asked->records && !(self.records = fopen(asked->records, "w"))) bare_fail(asked->records, "cannot be written");
  struct sigaction action = {.sa_handler = ask_to_end};
  sigaction(SIGTERM, &action, NULL);
  declare_queue(&self);
  printf("ready\n");
  fflush(stdout);
  receive_all(&self);
  if (self.records && fclose(self.records) != 0) bare_fail(asked->records, "cannot be written");
  amqp_queue_delete(self.connection, bare_channel, amqp_cstring_bytes(asked->queue), 0, 0);
  printf("{\"received\": %" PRIu64 ", \"processor\": %" PRId64 "}\n", self.received, bare_processor());
  bare_close(self.connection);
}
