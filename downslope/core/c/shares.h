/* Work that is cut into shares, for this thread and for those of XLA that are free. */

#include <sched.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>

#include "call.h"

struct shares {
  XLA_FFI_CallFrame *frame;
  void (*take)(void *, int64_t); /* does one share */
  void *job;                     /* what there is to do */
  int64_t count;
  atomic_llong next, done;
  atomic_int holders;
};

static inline void release_shares(struct shares *all) {
  if (atomic_fetch_sub(&all->holders, 1) == 1) free(all);
}

/* Takes shares until none is left. */
static inline void take_shares(struct shares *all) {
  for (int64_t number; (number = atomic_fetch_add(&all->next, 1)) < all->count; atomic_fetch_add(&all->done, 1))
    all->take(all->job, number);
}

static void help(void *data) {
  take_shares(data);
  release_shares(data);
}

/* Asks other threads of XLA for help. Who comes late finds nothing to do. */
static inline void ask_for_help(struct shares *all) {
  XLA_FFI_CallFrame *frame = all->frame;
  int64_t threads = 1;
  XLA_FFI_ThreadPool_NumThreads_Args asking = {sizeof asking, 0, frame->ctx, &threads};
  XLA_FFI_Error *wrong = frame->api->XLA_FFI_ThreadPool_NumThreads(&asking);
  const int64_t most = all->count < threads ? all->count : threads;
  for (int64_t number = 1; !wrong && number < most; number++) {
    atomic_fetch_add(&all->holders, 1);
    XLA_FFI_ThreadPool_Schedule_Args task = {sizeof task, 0, frame->ctx, help, all};
    if ((wrong = frame->api->XLA_FFI_ThreadPool_Schedule(&task))) release_shares(all);
  }
  if (!wrong) return;
  XLA_FFI_Error_Destroy_Args gone = {sizeof gone, 0, wrong};
  frame->api->XLA_FFI_Error_Destroy(&gone);
}

/* Does `count` shares of a job, by this thread alone or with others; without memory to ask others it does so alone. */
static inline void do_shares(XLA_FFI_CallFrame *frame, void (*take)(void *, int64_t), void *job, int64_t count, int alone) {
  struct shares *all = alone || count < 2 ? 0 : calloc(1, sizeof *all);
  if (!all) {
    for (int64_t number = 0; number < count; number++) take(job, number);
    return;
  }
  *all = (struct shares){.frame = frame, .take = take, .job = job, .count = count, .holders = 1};
  ask_for_help(all);
  take_shares(all);
  while (atomic_load(&all->done) < count) sched_yield();
  release_shares(all);
}
