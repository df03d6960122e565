/* Sums over many examples of what a formula gives for each, and beside them arrays such as gradients, in one pass over memory;
   called by XLA. */

#include "compiled.h"
#include "shares.h"

#define BLOCK 480 /* few places of memory are read and written, so that longer blocks pay */
#include "program.h"

enum { SHARE = 1 << 16, PART = 4 * BLOCK, SIDE = 16 }; /* numbers that a thread takes at once; between two sums; side by side */

struct job {
  XLA_FFI_CallFrame *frame;
  const int64_t *program;
  const struct compiled *compiled; /* the same; 0 where it is not */
  int64_t sums, size; /* the first outputs of the program are added up */
  const float *singles;
  double *found; /* of each share its sums */
};

WIDE static double added(const float *numbers, int64_t count) {
  double part[SIDE] = {0}, total = 0;
  int64_t at = 0;
  for (; at + SIDE <= count; at += SIDE)
    for (int side = 0; side < SIDE; side++) part[side] += numbers[at + side];
  for (int side = 0; at < count; at++, side++) part[side] += numbers[at];
  for (int side = 0; side < SIDE; side++) total += part[side];
  return total;
}

static void some_examples(void *data, int64_t number) {
  const struct job *job = data;
  const int64_t inputs = job->program[INPUTS], outputs = job->program[OUTPUTS], rest = job->size - number * SHARE;
  float values[job->sums][PART], *homes[PLACES];
  double *found = job->found + number * job->sums;
  for (int64_t i = 0; i < job->sums; i++) found[i] = 0;
  for (int64_t done = 0; done < rest && done < SHARE; done += PART) {
    int64_t count = rest < SHARE ? rest - done : SHARE - done;
    if (count > PART) count = PART;
    for (int64_t i = 0; i < inputs + outputs; i++) {
      const int64_t at = number * SHARE + done, sum = i - inputs;
      if (i < inputs) homes[i] = (float *)argument(job->frame, i)->data + at;
      else homes[i] = sum < job->sums ? values[sum] : (float *)result(job->frame, sum)->data + at;
    }
    if (job->compiled) job->compiled->run(homes, job->singles, count);
    else carry_along(job->program, homes, job->singles, count);
    for (int64_t i = 0; i < job->sums; i++) found[i] += added(values[i], count);
  }
}

/* arrays of one size and single numbers -> sums, arrays; by a program, and how many sums there are */
XLA_FFI_Error *downslope_summed(XLA_FFI_CallFrame *frame) {
  if (asked(frame)) return 0;
  const XLA_FFI_Array *program = frame->attrs.attrs[0]; /* XLA sorts them by name */
  const int64_t *numbers = program->data, sums = *(const int64_t *)((XLA_FFI_Scalar *)frame->attrs.attrs[1])->value;
  const XLA_FFI_Buffer *first = argument(frame, 0);
  const int64_t size = first->dims[0], shares = (size + SHARE - 1) / SHARE;
  float singles[PLACES];
  for (int64_t i = 0; i < numbers[SINGLES]; i++) singles[i] = *(float *)argument(frame, numbers[INPUTS] + i)->data;
  double found[shares * sums];
  struct job job = {frame, numbers, downslope_compiled(numbers, program->size), sums, size, singles, found};
  do_shares(frame, some_examples, &job, shares, shares < 4);
  for (int64_t i = 0; i < sums; i++) {
    double total = 0;
    for (int64_t number = 0; number < shares; number++) total += found[number * sums + i];
    *(float *)result(frame, i)->data = (float)total;
  }
  return 0;
}
