#define _GNU_SOURCE
#include <inttypes.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#include "bare.h"

enum { stamp_digits = 24, id_digits = 16 };

/// A text with a run of #, which is replaced to distinguish messages.
typedef struct {
  char *text;
  size_t length;
  size_t at;
} template;

typedef struct {
  const options *asked;
  amqp_connection_state_t connection;
  const char *user;
  uint64_t published;
  uint64_t confirmed;
  /// The first number that may be unconfirmed.
  uint64_t oldest;
  /// By number, from 1 on.
  unsigned char *is_confirmed;
  /// The parts of a publication.
  template id, body;
  /// The id, @ and the time of sending: as long as a tick's own.
  char message_id[256];
  amqp_table_entry_t headers[2];
  amqp_basic_properties_t properties;
} publisher;

static template template_of(char *text, size_t length) {
  template made = {.text = text, .length = length, .at = strcspn(text, "#")};
  if (strspn(text + made.at, "#") != id_digits) bare_fail(text, "has no run of sixteen #");
  return made;
}

static void write_number(char *digits, size_t count, uint64_t number) {
  for (size_t place = count; place > 0; place--, number /= 10) digits[place - 1] = (char)('0' + number % 10);
}

/// Sixteen characters, different for each number and in random order, as ids are in practice: the last step of SplitMix64.
static void write_scattered(const template *filled, uint64_t number) {
  number = (number ^ (number >> 30)) * 0xbf58476d1ce4e5b9;
  number = (number ^ (number >> 27)) * 0x94d049bb133111eb;
  number ^= number >> 31;
  for (size_t place = id_digits; place > 0; place--, number >>= 4)
    filled->text[filled->at + place - 1] = "0123456789abcdef"[number & 15];
}

static char *read_file(const char *path) {
  static char text[256 * 1024];
  FILE *file = fopen(path, "r");
  if (!file) bare_fail(path, "cannot be read");
  text[fread(text, 1, sizeof text - 1, file)] = 0;
  fclose(file);
  return text;
}

/// The properties of a tick.
static void prepare(publisher *self) {
  self->id = template_of(strdup(self->asked->id), strlen(self->asked->id));
  char *body = read_file(self->asked->body_file);
  self->body = template_of(body, strlen(body));
  if (self->id.length + 1 + stamp_digits > 255) bare_fail("--id", "too long");
  self->message_id[self->id.length] = '@';
  self->headers[0].key = amqp_cstring_bytes("schedule-id");
  self->headers[0].value.value.bytes = (amqp_bytes_t){.len = self->id.length, .bytes = self->id.text};
  self->headers[1].key = amqp_cstring_bytes("scheduled-time");
  self->headers[1].value.value.bytes = amqp_cstring_bytes("2026-01-01T00:00:00.000Z");
  for (int each = 0; each < 2; each++) self->headers[each].value.kind = AMQP_FIELD_KIND_UTF8;
  self->properties = (amqp_basic_properties_t){
      ._flags = AMQP_BASIC_CONTENT_TYPE_FLAG | AMQP_BASIC_DELIVERY_MODE_FLAG | AMQP_BASIC_MESSAGE_ID_FLAG |
                AMQP_BASIC_CORRELATION_ID_FLAG | AMQP_BASIC_TIMESTAMP_FLAG | AMQP_BASIC_TYPE_FLAG |
                AMQP_BASIC_USER_ID_FLAG | AMQP_BASIC_APP_ID_FLAG | AMQP_BASIC_HEADERS_FLAG,
      .content_type = amqp_cstring_bytes("application/json"),
      .delivery_mode = AMQP_DELIVERY_PERSISTENT,
      .message_id = {.len = self->id.length + 1 + stamp_digits, .bytes = self->message_id},
      .correlation_id = amqp_cstring_bytes("00000000-0000-4000-8000-000000000000"),
      .type = amqp_cstring_bytes(self->asked->key),
      .user_id = amqp_cstring_bytes(self->user),
      .app_id = amqp_cstring_bytes("bare-client"),
      .headers = {.num_entries = 2, .entries = self->headers},
  };
}

static void publish_next(publisher *self) {
  uint64_t number = ++self->published;
  int64_t now = bare_now();
  write_scattered(&self->id, number);
  write_scattered(&self->body, number);
  memcpy(self->message_id, self->id.text, self->id.length);
  write_number(self->message_id + self->id.length + 1, stamp_digits, (uint64_t)now);
  self->properties.timestamp = (uint64_t)(now / 1000000000);
  int status = amqp_basic_publish(self->connection, bare_channel, amqp_cstring_bytes(self->asked->exchange),
                                  amqp_cstring_bytes(self->asked->key), 1, 0, &self->properties,
                                  (amqp_bytes_t){.len = self->body.length, .bytes = self->body.text});
  if (status != AMQP_STATUS_OK) bare_fail("publish", amqp_error_string2(status));
}

static void confirm(publisher *self, uint64_t number) {
  if (number > self->published) bare_fail("confirm", "of a message that was never published");
  self->confirmed += !self->is_confirmed[number];
  self->is_confirmed[number] = 1;
}

static void confirm_ack(publisher *self, const amqp_basic_ack_t *ack) {
  if (ack->multiple) {
    for (uint64_t number = self->oldest; number <= ack->delivery_tag; number++) confirm(self, number);
  } else {
    confirm(self, ack->delivery_tag);
  }
  while (self->oldest <= self->published && self->is_confirmed[self->oldest]) self->oldest++;
}

/// Reads the confirms that have arrived; waits for the first up to the limit, NULL without one.
static void read_confirms(publisher *self, const struct timeval *limit) {
  amqp_frame_t frame;
  int status;
  while ((status = amqp_simple_wait_frame_noblock(self->connection, &frame, limit)) == AMQP_STATUS_OK) {
    if (frame.frame_type != AMQP_FRAME_METHOD) bare_fail("confirm", "an unexpected frame");
    if (frame.payload.method.id != AMQP_BASIC_ACK_METHOD)
      bare_fail("confirm", amqp_method_name(frame.payload.method.id));
    confirm_ack(self, frame.payload.method.decoded);
    static const struct timeval at_once = {0, 0};
    limit = &at_once;
  }
  if (status != AMQP_STATUS_TIMEOUT) bare_fail("confirm", amqp_error_string2(status));
  amqp_maybe_release_buffers(self->connection);
}

static void cork(publisher *self, int is_on) {
  setsockopt(amqp_get_sockfd(self->connection), IPPROTO_TCP, TCP_CORK, &is_on, sizeof is_on);
}

static uint64_t room(const publisher *self) {
  uint64_t left = self->asked->count - self->published;
  uint64_t window = self->asked->window - (self->published - self->confirmed);
  return left < window ? left : window;
}

/// As many as the window holds, in few packets; confirms are read as they arrive.
static void publish_all(publisher *self) {
  while (self->confirmed < self->asked->count) {
    uint64_t batch = room(self);
    if (batch > 0) {
      cork(self, 1);
      while (batch-- > 0) publish_next(self);
      cork(self, 0);
    }
    read_confirms(self, NULL);
  }
}

/// One at each tick of the clock; those that the clock has passed meanwhile at once.
static void publish_paced(publisher *self) {
  int64_t begin = bare_now(), step = (int64_t)(1000000000 / self->asked->rate);
  while (self->confirmed < self->asked->count) {
    int64_t wait = begin + (int64_t)self->published * step - bare_now();
    if (self->published == self->asked->count) {
      read_confirms(self, NULL);
    } else if (wait > 0) {
      struct timespec limit = {.tv_sec = wait / 1000000000, .tv_nsec = wait % 1000000000};
      struct pollfd socket = {.fd = amqp_get_sockfd(self->connection), .events = POLLIN};
      static const struct timeval at_once = {0, 0};
      if (ppoll(&socket, 1, &limit, NULL) > 0) read_confirms(self, &at_once);
    } else if (room(self) > 0) {
      publish_next(self);
    } else {
      read_confirms(self, NULL);
    }
  }
}

void bare_publish(const options *asked) {
  publisher self = {.asked = asked, .oldest = 1};
  self.connection = bare_connect(asked->url, &self.user);
  self.is_confirmed = calloc(asked->count + 2, 1);
  if (!self.is_confirmed) bare_fail("--count", "there is not enough memory");
  prepare(&self);
  amqp_confirm_select(self.connection, bare_channel);
  bare_check(self.connection, "have messages confirmed");
  int64_t begin = bare_now();
  if (asked->rate > 0) publish_paced(&self);
  else publish_all(&self);
  printf("{\"began\": %" PRId64 ", \"confirmed\": %" PRId64 ", \"processor\": %" PRId64 "}\n", begin, bare_now(),
         bare_processor());
  bare_close(self.connection);
}
