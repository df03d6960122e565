/* Rounds of steps of training runs, one run after another on one core; called by XLA. What each piece of a run does is written in
   scripts, which core/rounds.py makes of what JAX has traced. */

#include <math.h>
#include <string.h>

#include "call.h"
#include "script.h"

enum { ONCE, FIRST_STATE, STEP, SHOWN, SCORED, LAST_SCORED, SCRIPTS }; /* the last scores the rows that fill no block */

/* How many there are of each; `between` are the numbers of memory that scripts use. */
struct counts {
  int64_t fixed, common, params, state, tables, rounds, steps, period, rows, block, between;
};

/* Arguments: what is fixed for each lane, what all lanes have in common, parameters, state, number of steps, whether the state is
   still to be made, whether the lane is alive, tables of which each step sees one part, tables of rows to be scored or none.
   Results: parameters, state, number of steps, whether the lane is alive; for each round the mean loss, the number of finite losses,
   whether the lane is alive, and where there are rows to be scored their loss, their scores and the parameters; memory.
   Values begin with fixed, common, parameters, state, number of steps, tables, loss, shown parameters, scores. */
struct call {
  XLA_FFI_CallFrame *frame;
  const struct counts *count;
  const int64_t *script[SCRIPTS + 1];
  float **value, *good; /* what is carried, as it was after the last round */
  int64_t carried, inputs, lanes, lane, round;
};

static int64_t numbers(const XLA_FFI_Buffer *buffer) {
  int64_t size = 1;
  for (int64_t axis = 0; axis < buffer->rank; axis++) size *= buffer->dims[axis];
  return size;
}
static void *given(const struct call *call, int64_t number) { return argument(call->frame, number)->data; }
static void *made(const struct call *call, int64_t number) { return result(call->frame, number)->data; }

static void carry_out(const struct call *call, int script) {
  downslope_carry_out(call->script[script], call->script[script + 1], call->value);
}

/* The tables' part `number` of so many. */
static void look_at(const struct call *call, int64_t first, int64_t number, int64_t parts) {
  for (int64_t i = 0; i < call->count->tables; i++) {
    const XLA_FFI_Buffer *table = argument(call->frame, first + i);
    call->value[call->inputs + i] = (float *)table->data + numbers(table) / parts * number;
  }
}

/* Keeps what is carried, or brings it back. */
static void keep(const struct call *call, int back) {
  float *kept = call->good;
  for (int64_t i = 0; i < call->carried; i++) {
    const int64_t size = numbers(result(call->frame, i)) / call->lanes;
    float *now = call->value[call->count->fixed + call->count->common + i];
    memcpy(back ? now : kept, back ? kept : now, size * sizeof *now);
    kept += size;
  }
}

static int all_finite(const float *of, int64_t size) {
  int all = 1;
  for (int64_t i = 0; i < size; i++) all &= of[i] - of[i] == 0;
  return all;
}

/* The steps of a round; gives back whether everything has stayed finite. */
static int steps(const struct call *call, int32_t *step) {
  const struct counts *count = call->count;
  const float *loss = call->value[call->inputs + count->tables];
  const int64_t at = call->lane * count->rounds + call->round, first = call->inputs + 2; /* of the tables, among the arguments */
  double sum = 0;
  int32_t good = 0;
  for (int64_t i = 0; i < count->steps; i++, ++*step) {
    look_at(call, first, (call->round * count->steps + i) % count->period, count->period);
    carry_out(call, STEP);
    sum += *loss;
    good += all_finite(loss, 1);
  }
  carry_out(call, SHOWN);
  int alive = good == count->steps;
  for (int64_t i = 0; i < count->params; i++)
    alive &= all_finite(call->value[call->inputs + count->tables + 1 + i], numbers(result(call->frame, i)) / call->lanes);
  ((float *)made(call, call->carried + 2))[at] = sum / count->steps;
  ((int32_t *)made(call, call->carried + 3))[at] = good;
  return alive;
}

/* Scores the rows, block by block. */
static void score(const struct call *call) {
  const struct counts *count = call->count;
  const int64_t at = call->lane * count->rounds + call->round, blocks = count->rows / count->block;
  const int64_t scores = numbers(result(call->frame, call->carried + 6)) / (call->lanes * count->rounds);
  float **values = call->value + call->inputs, *raw = (float *)made(call, call->carried + 6) + at * scores;
  double sum = 0;
  for (int64_t i = 0; i * count->block < count->rows; i++) {
    for (int64_t table = 0; table < count->tables; table++) {
      const XLA_FFI_Buffer *rows = argument(call->frame, call->inputs + 2 + count->tables + table);
      values[table] = (float *)rows->data + numbers(rows) / count->rows * count->block * i;
    }
    values[count->tables + 1 + count->params] = raw + scores / count->rows * count->block * i;
    carry_out(call, i < blocks ? SCORED : LAST_SCORED);
    sum += *values[count->tables];
  }
  ((float *)made(call, call->carried + 5))[at] = sum;
}

/* A report in which nothing is told. */
static void nothing(const struct call *call) {
  for (int64_t i = call->carried + 2; i < call->frame->rets.size - 1; i++) {
    const XLA_FFI_Buffer *report = result(call->frame, i);
    const int64_t wide = i == call->carried + 4 ? 1 : sizeof(float), size = numbers(report) / (call->lanes * call->count->rounds);
    memset((char *)report->data + (call->lane * call->count->rounds + call->round) * size * wide, 0, size * wide);
  }
}

/* One lane through all rounds. One that has left the finite numbers keeps what it was after its last good round. */
static void all_rounds(struct call *call) {
  const struct counts *count = call->count;
  const int64_t lane = call->lane, own = count->fixed + count->common, ends = count->rows > 0;
  const char *fresh = given(call, call->inputs);
  int32_t *step = (int32_t *)made(call, call->carried) + lane;
  char *alive = (char *)made(call, call->carried + 1) + lane;
  *step = ((int32_t *)given(call, call->inputs - 1))[lane];
  *alive = ((char *)given(call, call->inputs + 1))[lane];
  for (int64_t i = 0; i < count->fixed; i++)
    call->value[i] = (float *)given(call, i) + lane * (numbers(argument(call->frame, i)) / call->lanes);
  for (int64_t i = 0; i < count->common; i++) call->value[count->fixed + i] = given(call, count->fixed + i);
  for (int64_t i = 0; i < call->carried; i++) {
    const int64_t size = numbers(result(call->frame, i)) / call->lanes;
    float *before = (float *)given(call, own + i) + lane * size, *after = (float *)made(call, i) + lane * size;
    if (before != after) memcpy(after, before, size * sizeof *after);
    call->value[own + i] = after;
  }
  call->value[call->inputs - 1] = (float *)step;
  const int was_alive = *alive;
  if (was_alive) carry_out(call, ONCE);
  if (was_alive && fresh[lane]) carry_out(call, FIRST_STATE);
  for (call->round = 0; call->round < count->rounds; call->round++) {
    if (!*alive) {
      nothing(call);
      if (was_alive) *step += count->steps;
      continue;
    }
    for (int64_t i = 0; ends && i < count->params; i++) {
      const int64_t size = numbers(result(call->frame, i)) / call->lanes;
      call->value[call->inputs + count->tables + 1 + i] =
          (float *)made(call, call->carried + 7 + i) + (lane * count->rounds + call->round) * size;
    }
    keep(call, 0);
    *alive = steps(call, step);
    if (!*alive) keep(call, 1);
    if (ends) score(call);
    ((char *)made(call, call->carried + 4))[lane * count->rounds + call->round] = *alive;
  }
}

XLA_FFI_Error *downslope_rounds(XLA_FFI_CallFrame *frame) {
  if (asked(frame)) return 0;
  const XLA_FFI_Array *constants = frame->attrs.attrs[0], *counts = frame->attrs.attrs[1]; /* XLA sorts them by name */
  const XLA_FFI_Array *lengths = frame->attrs.attrs[2], *places = frame->attrs.attrs[3], *script = frame->attrs.attrs[4];
  const struct counts *count = counts->data;
  const int64_t *place = places->data, carried = count->params + count->state;
  const int64_t inputs = count->fixed + count->common + carried + 1, slots = inputs + count->tables + count->params + 2;
  float *memory = result(frame, frame->rets.size - 1)->data, *value[slots + places->size];
  struct call call = {.frame = frame, .count = count, .script = {script->data}, .value = value, .good = memory + count->between,
                      .carried = carried, .inputs = inputs, .lanes = numbers(result(frame, carried))};
  for (int i = 0; i < SCRIPTS; i++) call.script[i + 1] = call.script[i] + ((const int64_t *)lengths->data)[i];
  for (int64_t i = 0; i < (int64_t)places->size; i++)
    value[slots + i] = place[i] < 0 ? (float *)constants->data - 1 - place[i] : memory + place[i];
  float *rest = call.good;
  for (int64_t i = 0; i < carried; i++) rest += numbers(result(frame, i)) / call.lanes;
  value[inputs + count->tables] = rest++;
  for (int64_t i = 0; i < count->params; i++) { /* where no round ends */
    value[inputs + count->tables + 1 + i] = rest;
    rest += numbers(result(frame, i)) / call.lanes;
  }
  value[slots - 1] = rest;
  for (; call.lane < call.lanes; call.lane++) all_rounds(&call);
  return 0;
}
