// What Swift's Glibc module leaves out.
#pragma once
#include <pthread.h>
#include <sys/eventfd.h>
#include <sys/timerfd.h>
#include <sys/timex.h>

// glibc has it, but declares it under _GNU_SOURCE only.
int pthread_setname_np(pthread_t thread, const char *name);
