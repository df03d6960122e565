/* Arithmetic on many arrays, number by number, in one pass over memory; called by XLA.

   A plan lists programs and the spans of arrays that each is for. */

#include "compiled.h"
#include "shares.h"

#include "program.h"

enum { SHARE = 1 << 16 }; /* numbers that a thread takes at once */

/* Plan: where the list of spans begins; then the programs; then for each span its program, its size and its places. A span's inputs
   and outputs are each the number of an argument or a result and where in that array the span begins; its single numbers are
   numbers of arguments, or constants counted down from -1. */
enum { PROGRAM, SIZE, WHERE };

struct span {
  const int64_t *plan;
  const struct compiled *known; /* its program, if that is compiled */
  int64_t shares;               /* of all spans before it */
};

struct job {
  XLA_FFI_CallFrame *frame;
  const int64_t *plan;
  const float *constants;
  struct span *spans; /* and one more, for the shares before the end */
};

/* Numbers `from` to `to` of a span. */
static void part_of_span(const struct job *job, const struct span *span, int64_t from, int64_t to) {
  const int64_t *program = job->plan + span->plan[PROGRAM], *where = span->plan + WHERE;
  const int64_t inputs = program[INPUTS], outputs = inputs + program[OUTPUTS];
  float *homes[PLACES], singles[PLACES];
  for (int64_t i = 0; i < outputs; i++, where += 2)
    homes[i] = (float *)(i < inputs ? argument(job->frame, *where) : result(job->frame, *where))->data + where[1] + from;
  for (int64_t i = 0; i < program[SINGLES]; i++, where++)
    singles[i] = *where < 0 ? job->constants[-1 - *where] : *(float *)argument(job->frame, *where)->data;
  if (span->known) span->known->run(homes, singles, to - from);
  else carry_along(program, homes, singles, to - from);
}

/* A share lies within one span. */
static void some_numbers(void *data, int64_t number) {
  const struct job *job = data;
  const struct span *span = job->spans;
  while (span[1].shares <= number) span++;
  const int64_t from = (number - span->shares) * SHARE, all = span->plan[SIZE];
  part_of_span(job, span, from, all < from + SHARE ? all : from + SHARE);
}

static XLA_FFI_Error *no_memory(XLA_FFI_CallFrame *frame) {
  XLA_FFI_Error_Create_Args what = {sizeof what, 0, "no memory for the plan of an update", XLA_FFI_Error_Code_RESOURCE_EXHAUSTED};
  return frame->api->XLA_FFI_Error_Create(&what);
}

/* arrays and single numbers -> arrays, by a plan */
XLA_FFI_Error *downslope_arithmetic(XLA_FFI_CallFrame *frame) {
  if (asked(frame)) return 0;
  const XLA_FFI_Array *constants = frame->attrs.attrs[0], *plan = frame->attrs.attrs[1]; /* XLA sorts them by name */
  const int64_t *numbers = plan->data, *at = numbers + numbers[0], *end = numbers + plan->size;
  const int64_t most = (end - at) / (WHERE + 2); /* of spans: each has an output */
  struct span *span = malloc(sizeof *span * (most + 1));
  if (!span) return no_memory(frame);
  struct job job = {frame, numbers, constants->data, span};
  int64_t total = span->shares = 0;
  for (; at < end; span++) {
    const int64_t *program = numbers + at[PROGRAM];
    span->plan = at;
    span->known = downslope_compiled(program, FIRST + STEP * program[INSTRUCTIONS]);
    span[1].shares = span->shares + (at[SIZE] + SHARE - 1) / SHARE;
    total += at[SIZE];
    at += WHERE + 2 * (program[INPUTS] + program[OUTPUTS]) + program[SINGLES];
  }
  do_shares(frame, some_numbers, &job, span->shares, total <= 2 * SHARE);
  free(job.spans);
  return 0;
}
