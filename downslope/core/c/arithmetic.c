/* Arithmetic on many arrays, number by number, in one pass over memory; called by XLA.

   A plan lists programs and the spans of arrays that each is for. A program is a list of instructions, carried out for a block of numbers
   at a time, so that what lies between them never leaves the cache. Every result is rounded by itself: it depends neither on the
   width of the machine's registers nor on how the work is shared. */

#include <math.h>

#include "shares.h"

enum { BLOCK = 96, PLACES = 48, SHARE = 1 << 16 }; /* numbers; places of a program; numbers that a thread takes at once */
enum { ADD, SUB, MUL, DIV, MAX, MIN, GT, LT, GE, LE, EQ, NE, SQRT, ABS, NEG, SIGN, COPY, SELECT, MIX, MUL_ADD, DIV_ADD, SQRT_ADD, DIV_SUB,
       ONE_MUL, ONE_MIX, ONE_MUL_ADD, SQRT_ADD_ONE }; /* the last ones with single numbers, which stay in a register */

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
};

#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC optimize("fp-contract=off")
#else
#pragma STDC FP_CONTRACT OFF
#endif

/* Whole blocks have a loop of their own, for which the compiler knows the length. */
#define EACH(code, what)                                                                                                       \
  case code:                                                                                                                   \
    if (count == BLOCK)                                                                                                        \
      _Pragma("GCC ivdep") for (int i = 0; i < BLOCK; i++) to[i] = (what);                                                     \
    else                                                                                                                       \
      _Pragma("GCC ivdep") for (int i = 0; i < count; i++) to[i] = (what);                                                     \
    break;

/* One instruction for a block. A result may take the place of what it is made of. */
static inline __attribute__((always_inline)) void carry_out(int code, float *to, const float *const *from, int count) {
  const float *a = from[0], *b = from[1], *c = from[2], *d = from[3];
  const float first = *a, second = *b, third = *c;
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
    EACH(ONE_MUL, first * b[i])
    EACH(ONE_MIX, first * b[i] + third * d[i])
    EACH(ONE_MUL_ADD, first * b[i] + c[i])
    EACH(SQRT_ADD_ONE, sqrtf(a[i]) + second)
  }
}

/* An instruction with its places in memory, and how far each moves from block to block: what lies between does not. */
struct instruction {
  int code, steps[5];
  float *places[5]; /* the result first */
};

/* Numbers `from` to `to` of a span. */
WIDE static void carry_along(const struct job *job, const int64_t *span, int64_t from, int64_t to) {
  const int64_t *program = job->plan + span[PROGRAM], *where = span + WHERE;
  const int inputs = program[INPUTS], outputs = inputs + program[OUTPUTS], singles = outputs + program[SINGLES];
  const int64_t *step = program + FIRST, *numbers = where + 2 * outputs, count = program[INSTRUCTIONS];
  float kept[PLACES][BLOCK] __attribute__((aligned(64))), *place[PLACES];
  struct instruction instructions[count];
  for (int i = 0; i < outputs; i++, where += 2)
    place[i] = (float *)(i < inputs ? argument(job->frame, *where) : result(job->frame, *where))->data + where[1] + from;
  for (int i = outputs; i < singles + program[KEPT]; i++) place[i] = kept[i];
  for (int i = outputs; i < singles; i++, numbers++) {
    const float value = *numbers < 0 ? job->constants[-1 - *numbers] : *(float *)argument(job->frame, *numbers)->data;
    for (int j = 0; j < BLOCK; j++) kept[i][j] = value;
  }
  for (int i = 0; i < count; i++, step += STEP) {
    instructions[i].code = step[0];
    for (int j = 0; j < 5; j++) {
      instructions[i].places[j] = place[step[1 + j]];
      instructions[i].steps[j] = step[1 + j] < outputs ? BLOCK : 0;
    }
  }
  for (; from < to; from += BLOCK)
    for (int i = 0; i < count; i++) {
      struct instruction *now = instructions + i;
      carry_out(now->code, now->places[0], (const float *const *)now->places + 1, to - from < BLOCK ? to - from : BLOCK);
      for (int j = 0; j < 5; j++) now->places[j] += now->steps[j];
    }
}

/* A share lies within one span. */
static void some_numbers(void *data, int64_t number) {
  const struct job *job = data;
  int64_t span = 0;
  while (job->shares[span + 1] <= number) span++;
  const int64_t from = (number - job->shares[span]) * SHARE, all = job->spans[span][SIZE];
  carry_along(job, job->spans[span], from, all < from + SHARE ? all : from + SHARE);
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
  struct job job = {frame, numbers, constants->data, malloc(sizeof *job.spans * most), malloc(sizeof *job.shares * (most + 1))};
  XLA_FFI_Error *wrong = job.spans && job.shares ? 0 : no_memory(frame);
  if (!wrong) {
    int64_t total = job.shares[0] = 0, count = 0;
    for (; span < end; count++) {
      const int64_t *program = numbers + span[PROGRAM];
      job.spans[count] = span;
      job.shares[count + 1] = job.shares[count] + (span[SIZE] + SHARE - 1) / SHARE;
      total += span[SIZE];
      span += WHERE + 2 * (program[INPUTS] + program[OUTPUTS]) + program[SINGLES];
    }
    do_shares(frame, some_numbers, &job, job.shares[count], total <= 2 * SHARE);
  }
  free(job.spans);
  free(job.shares);
  return wrong;
}
