/* Cross-entropy of scores and labels, with its gradient, in one pass over each row; called by XLA.

   The right class is left out of the sum of exponentials, which is taken in double precision, and score differences carry their
   rounding error into the exponential: every digit is right, also where one class is all but certain. All sums have one order: a
   result depends neither on the width of the machine's registers nor on other rows. */

#include <math.h>
#include <string.h>

#include "cross_entropy.h"
#include "shares.h"

enum { LANES = 16, SHARE = 1 << 14 }; /* numbers side by side; scores that a thread takes at once */

#define UNROLLED _Pragma("GCC unroll 8")
#define INLINE static inline __attribute__((always_inline))

typedef float vector __attribute__((vector_size(4 * LANES), aligned(4), may_alias));
typedef int32_t whole_numbers __attribute__((vector_size(4 * LANES)));
typedef double wide __attribute__((vector_size(8 * LANES)));
typedef double sums __attribute__((vector_size(4 * LANES), may_alias));

struct rows {
  const float *score;
  const int32_t *label;
  float *value, *part, *scale, *rest; /* no part where nobody asks */
  int64_t count, classes, together; /* rows that a thread takes at once */
};

INLINE vector from_place(const float *place) { return *(const vector *)place; }
INLINE vector only(vector of, whole_numbers where) { return (vector)((whole_numbers)of & where); }

/* exp(score - near), to about one unit of its last place; 0 where that is below the normal numbers. `near` is a whole number and
   no score is much larger: so nothing is lost in `lost`. The logarithm of 2 comes in two parts, of few digits and of the rest. */
INLINE vector exponential(vector score, vector near) {
  const float lowest = -87.33654f, round = 3 << 22, high = 0.693359375f, low = -2.12194440e-4f;
  const vector gap = score - near, lost = score - (gap + near);
  const vector shifted = gap * 1.44269504f + round, times = shifted - round;
  const vector rest = (gap - times * high) + (lost - times * low);
  vector series = rest * (1 / 5040.0f) + 1 / 720.0f;
  series = series * rest + 1 / 120.0f;
  series = series * rest + 1 / 24.0f;
  series = series * rest + 1 / 6.0f;
  series = series * rest + 0.5f;
  const vector power = (vector)(((whole_numbers)shifted + 127) << 23);
  return only((1 + (rest * rest * series + rest)) * power, ~(gap < lowest));
}

INLINE float largest(vector of) {
  UNROLLED for (int half = LANES / 2; half; half /= 2)
    UNROLLED for (int i = 0; i < half; i++) of[i] = of[i] > of[i + half] ? of[i] : of[i + half];
  return of[0];
}

INLINE double total(sums of) {
  UNROLLED for (int half = LANES / 4; half; half /= 2)
    UNROLLED for (int i = 0; i < half; i++) of[i] += of[i + half];
  return of[0];
}

INLINE vector larger(vector a, vector b) {
  const whole_numbers where = a > b;
  return (vector)((whole_numbers)only(a, where) | (whole_numbers)only(b, ~where));
}

INLINE float value_of(float own_share, double others, double above) {
  const int small = own_share < 0.5f;
  const double beyond = others / own_share, sum = small ? others + own_share : 1 + beyond, found = log(sum);
  /* what the sum rounds away cancels between logarithm and quotient */
  return (float)(small ? above + found : sum == 1 ? beyond : found * (beyond / (sum - 1)));
}

WIDE static void some_rows_of(const struct rows *all, int64_t row, int64_t end) {
  const int64_t classes = all->classes, last = classes - LANES; /* the last vector of a row may overlap the one before it */
  const whole_numbers lane = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
  for (; row < end; row++) {
    const int64_t own = all->label[row];
    const float *score = all->score + row * classes;
    float *part = all->part ? all->part + row * classes : 0;
    vector most = from_place(score + last);
    for (int64_t at = 0; at < last; at += LANES) most = larger(from_place(score + at), most);
    const float near = rintf(largest(most));
    float own_share = NAN;
    sums left = {0}, right = {0};
    for (int64_t next = 0; next < classes; next += LANES) {
      const int64_t at = next < last ? next : last;
      vector share = exponential(from_place(score + at), near - (vector){0});
      if (part) *(vector *)(part + at) = share;
      if ((uint64_t)(own - at) < LANES) {
        own_share = share[own - at];
        share = only(share, lane != (int32_t)(own - at));
      }
      if (next > last) share = only(share, lane >= (int32_t)(next - last));
      const wide doubled = __builtin_convertvector(share, wide);
      left += *(const sums *)&doubled;
      right += *((const sums *)&doubled + 1);
    }
    const double others = total(left + right), whole = others + own_share;
    all->value[row] = value_of(own_share, others, (double)near - score[own]);
    if (!part) continue;
    const double scale = 1 / whole;
    all->scale[row] = (float)scale;
    all->rest[row] = (float)(scale - (float)scale);
    if (own >= 0 && own < classes) part[own] = (float)-others;
  }
}

static void some_rows(void *job, int64_t number) {
  const struct rows *all = job;
  const int64_t start = number * all->together, end = start + all->together;
  some_rows_of(all, start, end < all->count ? end : all->count);
}

/* Rows of few classes, as many rows at once. */
WIDE static void narrow_rows_of(const struct rows *all) {
  const int64_t classes = all->classes;
  for (int64_t row = 0; row < all->count; row += LANES) {
    const int64_t count = all->count - row < LANES ? all->count - row : LANES;
    const float *score = all->score + row * classes;
    vector scores[LANES] = {{0}}, shares[LANES], near, own_share = {0}, own_score = {0}, scale, rest;
    whole_numbers label = {0};
    double others[LANES];
    for (int64_t i = 0; i < count; i++) {
      label[i] = all->label[row + i];
      for (int64_t at = 0; at < classes; at++) scores[at][i] = score[i * classes + at];
    }
    near = scores[0];
    for (int64_t at = 1; at < classes; at++) near = larger(scores[at], near);
    for (int i = 0; i < LANES; i++) near[i] = rintf(near[i]);
    sums left = {0}, right = {0};
    for (int64_t at = 0; at < classes; at++) {
      const whole_numbers own = label == (int32_t)at;
      shares[at] = exponential(scores[at], near);
      own_share += only(shares[at], own);
      own_score += only(scores[at], own);
      const wide doubled = __builtin_convertvector(only(shares[at], ~own), wide);
      left += *(const sums *)&doubled;
      right += *((const sums *)&doubled + 1);
    }
    memcpy(others, &left, sizeof left);
    memcpy(others + LANES / 2, &right, sizeof right);
    for (int64_t i = 0; i < count; i++) {
      const float own = label[i] >= 0 && label[i] < classes ? own_share[i] : NAN;
      all->value[row + i] = value_of(own, others[i], (double)near[i] - own_score[i]);
      const double by = 1 / (others[i] + own);
      scale[i] = (float)by;
      rest[i] = (float)(by - (float)by);
    }
    if (!all->part) continue;
    float *slope = all->part + row * classes;
    for (int64_t at = 0; at < classes; at++) {
      const vector found = shares[at] * scale + shares[at] * rest;
      for (int64_t i = 0; i < count; i++)
        slope[i * classes + at] = label[i] == at ? (float)-others[i] * scale[i] + (float)-others[i] * rest[i] : found[i];
    }
  }
}

void downslope_surprise(const float *score, const int32_t *label, float *value, float *slope, int64_t count, int64_t classes) {
  if (classes <= LANES) {
    const struct rows all = {.score = score, .label = label, .value = value, .part = slope, .count = count, .classes = classes};
    narrow_rows_of(&all);
    return;
  }
  for (int64_t row = 0; row < count; row++, score += classes) {
    float scale, rest;
    const struct rows one = {.score = score, .label = label + row, .value = value + row, .part = slope, .scale = &scale,
                             .rest = &rest, .count = 1, .classes = classes};
    some_rows_of(&one, 0, 1);
    if (!slope) continue;
    for (int64_t i = 0; i < classes; i++) slope[i] = slope[i] * scale + slope[i] * rest;
    slope += classes;
  }
}

/* scores, labels -> cross-entropy, and its gradient by the scores where a second result is asked for */
XLA_FFI_Error *downslope_cross_entropy(XLA_FFI_CallFrame *frame) {
  if (asked(frame)) return 0;
  const XLA_FFI_Buffer *score = argument(frame, 0);
  const int64_t count = score->dims[0], classes = score->dims[1]; /* at least LANES */
  const int64_t together = classes < SHARE ? SHARE / classes : 1;
  struct rows all = {.score = score->data, .label = argument(frame, 1)->data, .value = result(frame, 0)->data,
                     .count = count, .classes = classes, .together = together};
  if (frame->rets.size > 1) all.part = result(frame, 1)->data, all.scale = result(frame, 2)->data, all.rest = result(frame, 3)->data;
  do_shares(frame, some_rows, &all, (count + together - 1) / together, count * classes < 4 * SHARE);
  return 0;
}
