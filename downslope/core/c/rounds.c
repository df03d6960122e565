/* Rounds of steps of training runs, on one core; called by XLA. What each piece of a run does is written in scripts, which
   core/rounds.py makes of what JAX has traced. The runs take turns at the rows that fit into the core's cache. */

#include <math.h>
#include <string.h>

#include "call.h"
#include "script.h"

enum { ONCE, FIRST_STATE, STEP, SHOWN, SCORED, LAST_SCORED, SCRIPTS }; /* the last scores the rows that fill no block */
enum { NEAR = 1 << 18 };                                               /* bytes of rows that stay in a core's own cache */

/* How many there are of each; `between` are the numbers of memory that scripts use. */
struct counts {
  int64_t fixed, common, params, state, tables, rounds, steps, period, rows, block, between;
};

struct lane {
  double loss, rows_loss; /* sums over the round */
  int32_t good;           /* finite losses in it */
  char was_alive, alive;  /* when the call began; when the round began */
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
  float **value, *good; /* what the lanes carried after their last rounds */
  int64_t carried, inputs, lanes, numbers, lane, round; /* `numbers` are those that a lane carries */
  struct lane *its;
};

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

/* Bytes of the tables' parts, where they have so many. */
static int64_t bytes_of_part(const struct call *call, int64_t first, int64_t parts) {
  int64_t all = 0;
  for (int64_t i = 0; i < call->count->tables; i++) all += numbers(argument(call->frame, first + i)) / parts * sizeof(float);
  return all;
}

static int32_t *step_of(const struct call *call) { return (int32_t *)made(call, call->carried) + call->lane; }
static char *alive(const struct call *call) { return (char *)made(call, call->carried + 1) + call->lane; }
static struct lane *its(const struct call *call) { return call->its + call->lane; }
static int64_t size_of(const struct call *call, int64_t carried) { return numbers(result(call->frame, carried)) / call->lanes; }
static int64_t place(const struct call *call) { return call->lane * call->count->rounds + call->round; }

/* Lets the values be those of the lane, in this round. */
static void enter(const struct call *call) {
  const struct counts *count = call->count;
  for (int64_t i = 0; i < count->fixed; i++)
    call->value[i] = (float *)given(call, i) + call->lane * (numbers(argument(call->frame, i)) / call->lanes);
  for (int64_t i = 0; i < call->carried; i++)
    call->value[count->fixed + count->common + i] = (float *)made(call, i) + call->lane * size_of(call, i);
  for (int64_t i = 0; count->rows && i < count->params; i++)
    call->value[call->inputs + count->tables + 1 + i] = (float *)made(call, call->carried + 7 + i) + place(call) * size_of(call, i);
  call->value[call->inputs - 1] = (float *)step_of(call);
  carry_out(call, ONCE);
}

/* Keeps what is carried, or brings it back. */
static void keep(const struct call *call, int back) {
  float *kept = call->good + call->lane * call->numbers;
  for (int64_t i = 0; i < call->carried; i++) {
    const int64_t size = size_of(call, i);
    float *now = (float *)made(call, i) + call->lane * size;
    memcpy(back ? now : kept, back ? kept : now, size * sizeof *now);
    kept += size;
  }
}

static int all_finite(const float *of, int64_t size) {
  int all = 1;
  for (int64_t i = 0; i < size; i++) all &= of[i] - of[i] == 0;
  return all;
}

/* A report in which nothing is told. */
static void nothing(const struct call *call) {
  for (int64_t i = call->carried + 2; i < call->frame->rets.size - 1; i++) {
    const XLA_FFI_Buffer *report = result(call->frame, i);
    const int64_t wide = i == call->carried + 4 ? 1 : sizeof(float), size = numbers(report) / (call->lanes * call->count->rounds);
    memset((char *)report->data + place(call) * size * wide, 0, size * wide);
  }
}

static void begin(const struct call *call) {
  const int64_t own = call->count->fixed + call->count->common;
  *step_of(call) = ((int32_t *)given(call, call->inputs - 1))[call->lane];
  *alive(call) = its(call)->was_alive = ((char *)given(call, call->inputs + 1))[call->lane];
  for (int64_t i = 0; i < call->carried; i++) {
    const int64_t size = size_of(call, i);
    float *before = (float *)given(call, own + i) + call->lane * size, *after = (float *)made(call, i) + call->lane * size;
    if (before != after) memcpy(after, before, size * sizeof *after);
  }
  if (!*alive(call) || !((char *)given(call, call->inputs))[call->lane]) return;
  enter(call);
  carry_out(call, FIRST_STATE);
}

static void begin_round(const struct call *call) {
  *its(call) = (struct lane){.was_alive = its(call)->was_alive, .alive = *alive(call)};
  if (*alive(call)) {
    keep(call, 0);
    return;
  }
  nothing(call);
  if (its(call)->was_alive) *step_of(call) += call->count->steps;
}

/* Some steps of a round. */
static void steps(const struct call *call, int64_t from, int64_t to) {
  const struct counts *count = call->count;
  const float *loss = call->value[call->inputs + count->tables];
  const int64_t first = call->inputs + 2; /* of the tables, among the arguments */
  int32_t *step = step_of(call);
  enter(call);
  for (int64_t i = from; i < to; i++, ++*step) {
    look_at(call, first, (call->round * count->steps + i) % count->period, count->period);
    carry_out(call, STEP);
    its(call)->loss += *loss;
    its(call)->good += all_finite(loss, 1);
  }
}

/* Looks at what the steps have made. A lane that has left the finite numbers goes back to where it was after its last good round. */
static void end_round(const struct call *call) {
  const struct counts *count = call->count;
  enter(call);
  carry_out(call, SHOWN);
  int finite = its(call)->good == count->steps;
  for (int64_t i = 0; i < count->params; i++)
    finite &= all_finite(call->value[call->inputs + count->tables + 1 + i], size_of(call, i));
  ((float *)made(call, call->carried + 2))[place(call)] = its(call)->loss / count->steps;
  ((int32_t *)made(call, call->carried + 3))[place(call)] = its(call)->good;
  ((char *)made(call, call->carried + 4))[place(call)] = *alive(call) = finite;
  if (!finite) keep(call, 1);
}

/* Scores some rows, block by block. */
static void score(const struct call *call, int64_t from, int64_t to) {
  const struct counts *count = call->count;
  const int64_t blocks = count->rows / count->block;
  const int64_t scores = numbers(result(call->frame, call->carried + 6)) / (call->lanes * count->rounds);
  float **values = call->value + call->inputs, *raw = (float *)made(call, call->carried + 6) + place(call) * scores;
  enter(call);
  for (int64_t i = from; i < to; i++) {
    for (int64_t table = 0; table < count->tables; table++) {
      const XLA_FFI_Buffer *rows = argument(call->frame, call->inputs + 2 + count->tables + table);
      values[table] = (float *)rows->data + numbers(rows) / count->rows * count->block * i;
    }
    values[count->tables + 1 + count->params] = raw + scores / count->rows * count->block * i;
    carry_out(call, i < blocks ? SCORED : LAST_SCORED);
    its(call)->rows_loss += *values[count->tables];
  }
  ((float *)made(call, call->carried + 5))[place(call)] = its(call)->rows_loss;
}

/* All lanes that were alive when the round began do this with some of the parts, and then with the next. */
static void take_turns(struct call *call, void (*with)(const struct call *, int64_t, int64_t), int64_t parts, int64_t bytes) {
  const int64_t some = bytes < NEAR ? NEAR / (bytes ? bytes : 1) : 1;
  for (int64_t from = 0; from < parts; from += some)
    for (call->lane = 0; call->lane < call->lanes; call->lane++)
      if (its(call)->alive) with(call, from, parts < from + some ? parts : from + some);
}

static void all_rounds(struct call *call) {
  const struct counts *count = call->count;
  const int64_t first = call->inputs + 2, blocks = (count->rows + count->block - 1) / count->block;
  for (call->lane = 0; call->lane < call->lanes; call->lane++) begin(call);
  for (call->round = 0; call->round < count->rounds; call->round++) {
    for (call->lane = 0; call->lane < call->lanes; call->lane++) begin_round(call);
    take_turns(call, steps, count->steps, bytes_of_part(call, first, count->period));
    for (call->lane = 0; call->lane < call->lanes; call->lane++)
      if (its(call)->alive) end_round(call);
    if (blocks) take_turns(call, score, blocks, bytes_of_part(call, first + count->tables, blocks));
  }
}

XLA_FFI_Error *downslope_rounds(XLA_FFI_CallFrame *frame) {
  if (asked(frame)) return 0;
  const XLA_FFI_Array *constants = frame->attrs.attrs[0], *counts = frame->attrs.attrs[1]; /* XLA sorts them by name */
  const XLA_FFI_Array *lengths = frame->attrs.attrs[2], *places = frame->attrs.attrs[3], *script = frame->attrs.attrs[4];
  const struct counts *count = counts->data;
  const int64_t *where = places->data, carried = count->params + count->state;
  const int64_t inputs = count->fixed + count->common + carried + 1, slots = inputs + count->tables + count->params + 2;
  float *memory = result(frame, frame->rets.size - 1)->data, *value[slots + places->size];
  const int64_t lanes = numbers(result(frame, carried));
  struct lane its[lanes];
  struct call call = {.frame = frame, .count = count, .script = {script->data}, .value = value, .good = memory + count->between,
                      .carried = carried, .inputs = inputs, .lanes = lanes, .its = its};
  for (int i = 0; i < SCRIPTS; i++) call.script[i + 1] = call.script[i] + ((const int64_t *)lengths->data)[i];
  for (int64_t i = 0; i < (int64_t)places->size; i++)
    value[slots + i] = where[i] < 0 ? (float *)constants->data - 1 - where[i] : memory + where[i];
  for (int64_t i = 0; i < count->common; i++) value[count->fixed + i] = given(&call, count->fixed + i);
  for (int64_t i = 0; i < carried; i++) call.numbers += size_of(&call, i);
  float *rest = call.good + lanes * call.numbers;
  value[inputs + count->tables] = rest++;
  for (int64_t i = 0; i < count->params; i++) { /* where no round ends */
    value[inputs + count->tables + 1 + i] = rest;
    rest += size_of(&call, i);
  }
  value[slots - 1] = rest;
  all_rounds(&call);
  return 0;
}
