// What Swift's Glibc module leaves out.
#pragma once
#include <pthread.h>
#include <sys/eventfd.h>
#include <sys/timerfd.h>

// glibc has it, but declares it under _GNU_SOURCE only.
int pthread_setname_np(pthread_t thread, const char *name);

// The beginning of the kernel's `struct timex`, and room for the rest. With <sys/timex.h> the structs of <time.h> would be
// this module's, and Swift would not find them elsewhere.
struct clock_state {
  unsigned int modes;
  long offset, frequency, maximum_error, estimated_error;
  int status;
  long rest[32];
};
static const int clock_is_unsynchronised = 0x0040;
int adjtimex(struct clock_state *state);
