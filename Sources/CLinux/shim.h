// What Swift's Glibc module leaves out.
#pragma once
#include <pthread.h>
#include <sys/eventfd.h>
#include <sys/timerfd.h>

// glibc has it, but declares it under _GNU_SOURCE only.
int pthread_setname_np(pthread_t thread, const char *name);

// glibc has it in <sys/timex.h>, which would bring types that Swift knows from its own module. The state is a struct of
// 208 bytes; all zero asks and changes nothing. Returns 5 (TIME_ERROR) while nobody keeps the clock right.
int adjtimex(void *state);
