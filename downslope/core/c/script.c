/* Carries out scripts, operation by operation, on one core. */

#include "script.h"

#include "call.h"
#include "compiled.h"
#include "cross_entropy.h"
#include "layer.h"
#include "products.h"

#include "program.h"

/* A program for single numbers. */
static void carry_one(const int64_t *program, float *const *homes) {
  const int64_t there = program[INPUTS] + program[OUTPUTS] + program[SINGLES];
  const int64_t *end = program + FIRST + STEP * program[INSTRUCTIONS];
  float kept[PLACES], *place[PLACES];
  for (int64_t i = 0; i < there; i++) place[i] = homes[i];
  for (int64_t i = there; i < there + program[KEPT]; i++) place[i] = kept + i;
  for (const int64_t *step = program + FIRST; step < end; step += STEP) {
    const float *const from[] = {place[step[2]], place[step[3]], place[step[4]], place[step[5]]};
    carry_out(step[0], place[step[1]], from, 1);
  }
}

/* The size, the program, and the numbers of its inputs, outputs and single numbers. */
static void arithmetic(const int64_t *what, float *const *value) {
  const int64_t size = *what++, *program = what, *names = program + FIRST + STEP * program[INSTRUCTIONS];
  const int64_t arrays = program[INPUTS] + program[OUTPUTS];
  const struct compiled *known = downslope_compiled(program, names - program);
  float *homes[PLACES], singles[PLACES];
  for (int64_t i = 0; i < arrays; i++) homes[i] = value[*names++];
  if (size == 1) {
    carry_one(program, homes);
    return;
  }
  for (int64_t i = 0; i < program[SINGLES]; i++) singles[i] = *value[*names++];
  if (known) known->run(homes, singles, size);
  else carry_along(program, homes, singles, size);
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
    case SURPRISE:
      downslope_surprise(first, (const int32_t *)second, value[what[2]], what[3] < 0 ? 0 : value[what[3]], what[4], what[5]);
      break;
    default: downslope_turn(first, second, what[2], what[3]);
  }
}

void downslope_carry_out(const int64_t *script, const int64_t *end, float *const *value) {
  for (; script < end; script += script[1])
    if (*script == ARITHMETIC) arithmetic(script + 2, value);
    else special(*script, script + 2, value);
}
