/* Many steps of one computation, such as the updates of a training run, one after another on one core; called by XLA.

   What a step does is written in a script, which core/script.py makes of what JAX has traced. */

#include "call.h"
#include "layer.h"
#include "products.h"

#include "program.h"

/* Script: how many values there are; of each its kind, its number among its kind, its size, and where it lies in the memory for
   what lies between; then the operations: code, length of the whole, and what it needs. */
enum { FIXED, CARRIED, ROW, AHEAD, CONSTANT, BETWEEN, NEXT, REPORT }; /* kinds of values */
enum { NUMBER = 1, SIZE, PLACE, VALUE };                              /* after the kind; numbers of a value */
enum { ARITHMETIC, LAYER, LAYER_BACK, NARROW, SUM, SPREAD, TURN };    /* operations */

/* Arguments: what is fixed, what is carried from step to step, tables of which each step sees one row, what is known ahead for each
   step, whether a lane is alive, and the number of each step's row. Results: what is carried, what each step reports, memory for what lies between. */
struct call {
  XLA_FFI_CallFrame *frame;
  const int64_t *script, *end;
  const float *constants;
  int64_t fixed, carried, rows, ahead, reports; /* how many there are of each kind */
  const int32_t *places;
  int64_t steps, lane;
  const int64_t *own; /* whether each argument has one part for each lane */
};

/* The part of an argument that belongs to the lane; `size` is its own. */
static float *part(const struct call *call, int64_t number, int64_t size) {
  float *all = argument(call->frame, number)->data;
  return call->own[number] ? all + call->lane * size : all;
}

/* Where what is carried is written in a step: in turns among the results and in memory between them, so that the last step writes
   the result. */
static float *written(const struct call *call, int64_t number, int64_t size, int64_t place, int64_t step, float *between) {
  if ((call->steps - 1 - step) % 2) return between + place;
  return (float *)result(call->frame, number)->data + call->lane * size;
}

/* Where a value lies while a step is made. */
static float *home(const struct call *call, const int64_t *value, int64_t step, float *between) {
  const int64_t number = value[NUMBER], size = value[SIZE];
  int64_t at = number;
  switch (value[0]) {
    case FIXED: return part(call, at, size);
    case CARRIED:
      if (step) return written(call, number, size, value[PLACE], step - 1, between);
      return part(call, at + call->fixed, size);
    case ROW: {
      at += call->fixed + call->carried;
      const XLA_FFI_Buffer *table = argument(call->frame, at);
      return part(call, at, size * table->dims[call->own[at]]) + call->places[step] * size;
    }
    case AHEAD: return part(call, at + call->fixed + call->carried + call->rows, call->steps) + step;
    case CONSTANT: return (float *)call->constants + number;
    case BETWEEN: return between + value[PLACE];
    case NEXT: return written(call, number, size, value[PLACE], step, between);
    default: return (float *)result(call->frame, call->carried + number)->data + call->lane * call->steps + step;
  }
}

static void arithmetic(const int64_t *what, float *const *value) {
  const int64_t size = *what++, *program = what, *names = program + FIRST + STEP * program[INSTRUCTIONS];
  const int64_t arrays = program[INPUTS] + program[OUTPUTS];
  float *homes[PLACES], singles[PLACES];
  for (int64_t i = 0; i < arrays; i++) homes[i] = value[*names++];
  for (int64_t i = 0; i < program[SINGLES]; i++) singles[i] = *value[*names++];
  carry_along(program, homes, singles, size);
}

static void special(int64_t code, const int64_t *what, float *const *value) {
  float *const first = value[what[0]], *const second = value[what[1]];
  switch (code) {
    case LAYER:
      downslope_layer_forth(&(struct layer){.x = first, .weight = second, .bias = value[what[2]], .out = value[what[3]],
                                            .rows = what[4], .inputs = what[5], .outputs = what[6]});
      break;
    case LAYER_BACK:
      downslope_layer_back(&(struct layer){.x = first, .weight = second, .result = value[what[2]], .slope = value[what[3]],
                                           .by_weight = value[what[4]], .by_bias = value[what[5]],
                                           .by_x = what[6] < 0 ? 0 : value[what[6]],
                                           .rows = what[7], .inputs = what[8], .outputs = what[9]});
      break;
    case NARROW:
      downslope_narrow(&(struct narrow){.left = first, .right = second, .out = value[what[2]], .rows = what[3], .columns = what[4],
                                        .depth = what[5], .left_row = what[6], .left_depth = what[7], .right_depth = what[8],
                                        .right_column = what[9]});
      break;
    case SUM: downslope_sum(first, second, what[2], what[3], what[4]); break;
    case SPREAD: downslope_spread(first, second, what[2], what[3], what[4]); break;
    default: downslope_turn(first, second, what[2], what[3]);
  }
}

static void all_steps(const struct call *call, float *between) {
  const int64_t values = *call->script, *first = call->script + 1, *operations = first + VALUE * values;
  float *value[values];
  for (int64_t step = 0; step < call->steps; step++) {
    for (int64_t number = 0; number < values; number++) value[number] = home(call, first + VALUE * number, step, between);
    for (const int64_t *at = operations; at < call->end; at += at[1])
      if (*at == ARITHMETIC) arithmetic(at + 2, value);
      else special(*at, at + 2, value);
  }
}

/* fixed, carried, tables, ahead, alive, places -> carried, reports, memory; one lane after another, but for those not alive */
XLA_FFI_Error *downslope_steps(XLA_FFI_CallFrame *frame) {
  if (asked(frame)) return 0;
  const XLA_FFI_Array *constants = frame->attrs.attrs[0], *counts = frame->attrs.attrs[1]; /* XLA sorts them by name */
  const XLA_FFI_Array *own = frame->attrs.attrs[2], *script = frame->attrs.attrs[3];
  const int64_t *count = counts->data, last = frame->args.size - 1;
  const XLA_FFI_Buffer *places = argument(frame, last);
  const char *alive = argument(frame, last - 1)->data;
  struct call call = {.frame = frame, .script = script->data, .end = (const int64_t *)script->data + script->size,
                      .constants = constants->data, .fixed = count[0], .carried = count[1], .rows = count[2], .ahead = count[3],
                      .reports = count[4], .places = places->data, .steps = places->dims[0], .own = own->data};
  float *between = result(frame, call.carried + call.reports)->data;
  for (; call.lane < count[5]; call.lane++)
    if (alive[call.own[last - 1] ? call.lane : 0]) all_steps(&call, between);
  return 0;
}
