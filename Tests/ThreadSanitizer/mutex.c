// Makes Swift's Mutex visible to the thread sanitizer. To be loaded with LD_PRELOAD: see ops/test --sanitize thread.
//
// On Linux a Mutex that is contended is locked and unlocked in libswiftSynchronization, which is not instrumented: the
// sanitizer does not see that the one thread waits for the other, and reports a race in the value that the Mutex guards
// (Swift 6.3). These functions take the place of those three, call them, and report the order to the sanitizer. In a process
// without the sanitizer they only call them.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdbool.h>
#include <stdint.h>

extern void __tsan_acquire(void *) __attribute__((weak));
extern void __tsan_release(void *) __attribute__((weak));

#define SWIFT __attribute__((swiftcall))
#define SELF __attribute__((swift_context))

// In Swift: extension _MutexHandle { func _lockSlow(_ thread: UInt32); func _tryLockSlow() -> Bool; func _unlockSlow() }
#define LOCK "$s15Synchronization12_MutexHandleV9_lockSlowyys6UInt32VF"
#define TRY_LOCK "$s15Synchronization12_MutexHandleV12_tryLockSlowSbyF"
#define UNLOCK "$s15Synchronization12_MutexHandleV11_unlockSlowyyF"

SWIFT void lock(uint32_t thread, SELF void *handle) __asm__(LOCK);
SWIFT bool try_lock(SELF void *handle) __asm__(TRY_LOCK);
SWIFT void unlock(SELF void *handle) __asm__(UNLOCK);

static SWIFT void (*real_lock)(uint32_t thread, SELF void *handle);
static SWIFT bool (*real_try_lock)(SELF void *handle);
static SWIFT void (*real_unlock)(SELF void *handle);

__attribute__((constructor)) static void find_real(void) {
  *(void **)&real_lock = dlsym(RTLD_NEXT, LOCK);
  *(void **)&real_try_lock = dlsym(RTLD_NEXT, TRY_LOCK);
  *(void **)&real_unlock = dlsym(RTLD_NEXT, UNLOCK);
}

SWIFT void lock(uint32_t thread, SELF void *handle) {
  real_lock(thread, handle);
  if (__tsan_acquire) __tsan_acquire(handle);
}

SWIFT bool try_lock(SELF void *handle) {
  bool locked = real_try_lock(handle);
  if (locked && __tsan_acquire) __tsan_acquire(handle);
  return locked;
}

SWIFT void unlock(SELF void *handle) {
  if (__tsan_release) __tsan_release(handle);
  real_unlock(handle);
}
