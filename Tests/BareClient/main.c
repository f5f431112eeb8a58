#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>

#include "bare.h"

static const char usage[] =
    "usage: bare-client publish --url URL --exchange E --key K --count N --id ID --body FILE [--window N] [--rate N]\n"
    "       bare-client consume --url URL --exchange E --key K --queue Q [--count N] [--records FILE]\n"
    "\n"
    "publish: persistent messages with confirms. A run of sixteen # in ID and in the body is replaced to distinguish\n"
    "         messages. Prints when it began and when the last confirm arrived, in nanoseconds since 1970, and its\n"
    "         processor time.\n"
    "consume: declares a quorum queue, binds it, says \"ready\", reads until the count or SIGTERM, deletes the queue.\n";

static noreturn void fail_usage(void) {
  fputs(usage, stderr);
  exit(64);
}

static uint64_t number(const char *text) {
  char *end;
  errno = 0;
  unsigned long long value = strtoull(text, &end, 10);
  if (errno || *end || end == text) fail_usage();
  return value;
}

static options read_options(int count, char **words) {
  static const struct option names[] = {
      {"url", required_argument, 0, 'u'},    {"exchange", required_argument, 0, 'e'},
      {"key", required_argument, 0, 'k'},    {"queue", required_argument, 0, 'q'},
      {"count", required_argument, 0, 'c'},  {"window", required_argument, 0, 'w'},
      {"rate", required_argument, 0, 'r'},   {"id", required_argument, 0, 'i'},
      {"body", required_argument, 0, 'b'},   {"records", required_argument, 0, 'o'},
      {0, 0, 0, 0}};
  options asked = {.window = 256};
  int name;
  while ((name = getopt_long(count, words, "", names, NULL)) != -1) {
    switch (name) {
      case 'u': asked.url = optarg; break;
      case 'e': asked.exchange = optarg; break;
      case 'k': asked.key = optarg; break;
      case 'q': asked.queue = optarg; break;
      case 'c': asked.count = number(optarg); break;
      case 'w': asked.window = number(optarg); break;
      case 'r': asked.rate = number(optarg); break;
      case 'i': asked.id = optarg; break;
      case 'b': asked.body_file = optarg; break;
      case 'o': asked.records = optarg; break;
      default: fail_usage();
    }
  }
  if (optind != count || !asked.url || !asked.exchange || !asked.key || !asked.window) fail_usage();
  return asked;
}

int main(int count, char **words) {
  if (count < 2) fail_usage();
  prctl(PR_SET_PDEATHSIG, SIGKILL);  // a killed bench leaves nothing running
  options asked = read_options(count - 1, words + 1);
  if (!strcmp(words[1], "publish") && asked.id && asked.body_file) {
    bare_publish(&asked);
  } else if (!strcmp(words[1], "consume") && asked.queue) {
    bare_consume(&asked);
  } else {
    fail_usage();
  }
}
