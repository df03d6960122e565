/* Arithmetic on many arrays, number by number, in one pass over memory; called by XLA.

   A plan lists programs and the spans of arrays that each is for. A program is a list of instructions, carried out for a block of numbers
   at a time, so that what lies between them never leaves the cache. Every result is rounded by itself: it depends neither on the
   width of the machine's registers nor on how the work is shared. */

#include <math.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>

#include "call.h"

enum { BLOCK = 128, PLACES = 48, SHARE = 1 << 16 }; /* numbers; places of a program; numbers that a thread takes at once */
enum { ADD, SUB, MUL, DIV, MAX, MIN, GT, LT, GE, LE, EQ, NE, SQRT, ABS, NEG, SIGN, COPY, SELECT, MIX, MUL_ADD, DIV_ADD, SQRT_ADD, DIV_SUB };

/* Plan: where the list of spans begins; then the programs; then for each span its program, its size and its places.
   Program: how many inputs, outputs, single numbers, kept blocks and instructions; then those: code, place of the result, four
   places. Places are counted through inputs, outputs, single numbers and kept blocks. A span's inputs and outputs are each the
   number of an argument or a result and where in that array the span begins; its single numbers are numbers of arguments, or
   constants counted down from -1. */
enum { INPUTS, OUTPUTS, SINGLES, KEPT, INSTRUCTIONS, FIRST, STEP = 6 };
enum { PROGRAM, SIZE, WHERE };

struct job {
  XLA_FFI_CallFrame *frame;
  const int64_t *plan;
  const float *constants;
  const int64_t **spans; /* each one's part of the plan */
  int64_t *shares;       /* how many there are before each span, and in the end */
  int64_t count;         /* of spans */
  atomic_llong next, done;
  atomic_int holders;
};

#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC optimize("fp-contract=off")
#else
#pragma STDC FP_CONTRACT OFF
#endif

#if defined(__x86_64__) && defined(__linux__) && !defined(__clang__)
#define WIDE __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#else
#define WIDE
#endif

#define EACH(code, what)                                                                                                       \
  case code:                                                                                                                   \
    _Pragma("GCC ivdep") for (int64_t i = 0; i < count; i++) to[i] = (what);                                                   \
    break;

/* One instruction for a block. A result may take the place of what it is made of. */
WIDE static void carry_out(int code, float *to, const float *const *from, int64_t count) {
  const float *a = from[0], *b = from[1], *c = from[2], *d = from[3];
  switch (code) {
    EACH(ADD, a[i] + b[i])
    EACH(SUB, a[i] - b[i])
    EACH(MUL, a[i] * b[i])
    EACH(DIV, a[i] / b[i])
    EACH(MAX, a[i] > b[i] || a[i] != a[i] ? a[i] : b[i])
    EACH(MIN, a[i] < b[i] || a[i] != a[i] ? a[i] : b[i])
    EACH(GT, a[i] > b[i])
    EACH(LT, a[i] < b[i])
    EACH(GE, a[i] >= b[i])
    EACH(LE, a[i] <= b[i])
    EACH(EQ, a[i] == b[i])
    EACH(NE, a[i] != b[i])
    EACH(SQRT, sqrtf(a[i]))
    EACH(ABS, fabsf(a[i]))
    EACH(NEG, -a[i])
    EACH(SIGN, a[i] > 0 ? 1 : a[i] < 0 ? -1 : a[i])
    EACH(COPY, a[i])
    EACH(SELECT, a[i] != 0 ? c[i] : b[i])
    EACH(MUL_ADD, a[i] * b[i] + c[i])
    EACH(MIX, a[i] * b[i] + c[i] * d[i])
    EACH(DIV_ADD, a[i] / b[i] + c[i])
    EACH(SQRT_ADD, sqrtf(a[i]) + b[i])
    EACH(DIV_SUB, a[i] / b[i] - c[i] * d[i])
  }
}

/* Numbers `from` to `to` of a span. */
static void carry_along(const struct job *job, const int64_t *span, int64_t from, int64_t to) {
  const int64_t *program = job->plan + span[PROGRAM], *where = span + WHERE;
  const int inputs = program[INPUTS], outputs = inputs + program[OUTPUTS], singles = outputs + program[SINGLES];
  const int64_t *end = program + FIRST + STEP * program[INSTRUCTIONS], *numbers = where + 2 * outputs;
  float kept[PLACES][BLOCK] __attribute__((aligned(64))), *place[PLACES];
  for (int i = 0; i < outputs; i++, where += 2)
    place[i] = (float *)(i < inputs ? argument(job->frame, *where) : result(job->frame, *where))->data + where[1] + from;
  for (int i = outputs; i < singles + program[KEPT]; i++) place[i] = kept[i];
  for (int i = outputs; i < singles; i++, numbers++) {
    const float value = *numbers < 0 ? job->constants[-1 - *numbers] : *(float *)argument(job->frame, *numbers)->data;
    for (int j = 0; j < BLOCK; j++) kept[i][j] = value;
  }
  for (; from < to; from += BLOCK) {
    const int64_t count = to - from < BLOCK ? to - from : BLOCK;
    for (const int64_t *step = program + FIRST; step < end; step += STEP) {
      const float *from_places[] = {place[step[2]], place[step[3]], place[step[4]], place[step[5]]};
      carry_out(step[0], place[step[1]], from_places, count);
    }
    for (int i = 0; i < outputs; i++) place[i] += BLOCK;
  }
}

static void release(struct job *job) {
  if (atomic_fetch_sub(&job->holders, 1) > 1) return;
  free(job->spans);
  free(job->shares);
  free(job);
}

/* Takes shares until none is left. */
static void work(struct job *job) {
  int64_t span = 0;
  for (int64_t number; (number = atomic_fetch_add(&job->next, 1)) < job->shares[job->count]; atomic_fetch_add(&job->done, 1)) {
    while (job->shares[span + 1] <= number) span++;
    const int64_t from = (number - job->shares[span]) * SHARE, all = job->spans[span][SIZE];
    carry_along(job, job->spans[span], from, all < from + SHARE ? all : from + SHARE);
  }
}

static void help(void *data) {
  work(data);
  release(data);
}

/* Asks other threads of XLA for help where there is work for them. Who comes late finds nothing to do. */
static void ask(struct job *job) {
  XLA_FFI_CallFrame *frame = job->frame;
  int64_t threads = 1;
  XLA_FFI_ThreadPool_NumThreads_Args asking = {sizeof asking, 0, frame->ctx, &threads};
  XLA_FFI_Error *wrong = frame->api->XLA_FFI_ThreadPool_NumThreads(&asking);
  const int64_t most = job->shares[job->count] < threads ? job->shares[job->count] : threads;
  for (int64_t number = 1; !wrong && number < most; number++) {
    atomic_fetch_add(&job->holders, 1);
    XLA_FFI_ThreadPool_Schedule_Args task = {sizeof task, 0, frame->ctx, help, job};
    if ((wrong = frame->api->XLA_FFI_ThreadPool_Schedule(&task))) release(job);
  }
  if (!wrong) return;
  XLA_FFI_Error_Destroy_Args gone = {sizeof gone, 0, wrong};
  frame->api->XLA_FFI_Error_Destroy(&gone);
}

static XLA_FFI_Error *no_memory(XLA_FFI_CallFrame *frame) {
  XLA_FFI_Error_Create_Args what = {sizeof what, 0, "no memory for the plan of an update", XLA_FFI_Error_Code_RESOURCE_EXHAUSTED};
  return frame->api->XLA_FFI_Error_Create(&what);
}

/* arrays and single numbers -> arrays, by a plan */
XLA_FFI_Error *downslope_arithmetic(XLA_FFI_CallFrame *frame) {
  if (asked(frame)) return 0;
  const XLA_FFI_Array *constants = frame->attrs.attrs[0], *plan = frame->attrs.attrs[1]; /* XLA sorts them by name */
  const int64_t *numbers = plan->data, *span = numbers + numbers[0], *end = numbers + plan->size;
  const int64_t most = (end - span) / (WHERE + 2); /* of spans: each has an output */
  struct job *job = calloc(1, sizeof *job);
  if (!job) return no_memory(frame);
  *job = (struct job){.frame = frame, .plan = numbers, .constants = constants->data, .holders = 1};
  job->spans = malloc(sizeof *job->spans * most);
  job->shares = malloc(sizeof *job->shares * (most + 1));
  if (!job->spans || !job->shares) {
    release(job);
    return no_memory(frame);
  }
  int64_t total = job->shares[0] = 0;
  for (; span < end; job->count++) {
    const int64_t *program = numbers + span[PROGRAM];
    job->spans[job->count] = span;
    job->shares[job->count + 1] = job->shares[job->count] + (span[SIZE] + SHARE - 1) / SHARE;
    total += span[SIZE];
    span += WHERE + 2 * (program[INPUTS] + program[OUTPUTS]) + program[SINGLES];
  }
  if (total > 2 * SHARE) ask(job);
  work(job);
  while (atomic_load(&job->done) < job->shares[job->count]) sched_yield();
  release(job);
  return 0;
}
