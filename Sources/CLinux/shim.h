// Declarations that are missing in Swift's Glibc module.
#pragma once
#include <pthread.h>
#include <sys/eventfd.h>
#include <sys/timerfd.h>

// glibc declares it under _GNU_SOURCE only.
int pthread_setname_np(pthread_t thread, const char *name);

// Declared in <sys/timex.h>, which would duplicate types of Swift's Glibc module. The state is a struct of 208 bytes; all zero
// queries without changing anything. Returns 5 (TIME_ERROR) while the clock is not synchronised.
int adjtimex(void *state);
