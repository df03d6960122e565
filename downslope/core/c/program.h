/* Programs of arithmetic, number by number, carried out for a block of numbers at a time, so that what lies between never leaves
   the nearest cache.

   Every result is rounded by itself: it depends neither on the width of the machine's registers nor on how work is shared.
   Whatever includes this is compiled so to its end: it must not be followed by what wants products rounded with their sums. */

#include <math.h>
#include <stdint.h>
#include <string.h>

enum { BLOCK = 96, PLACES = 48 }; /* numbers; places of a program */
enum { ADD, SUB, MUL, DIV, MAX, MIN, GT, LT, GE, LE, EQ, NE, SQRT, ABS, NEG, SIGN, COPY, SELECT, MIX, MUL_ADD, DIV_ADD, SQRT_ADD, DIV_SUB,
       ONE_MUL, ONE_MIX, ONE_MUL_ADD, SQRT_ADD_ONE, /* these with single numbers, which stay in a register */
       EXP, LOG, EXPM1, LOG1P, POW, TANH, LOGISTIC, RSQRT, INVERSE, INVERSE_SQUARE, FINITE, NOT,
       WHOLE_ADD, WHOLE_SUB, WHOLE_MUL, WHOLE_EQ, WHOLE_AND, WHOLE_LEFT, WHOLE_RIGHT, FROM_WHOLE, COS, FLOOR };

/* Program: how many inputs, outputs, single numbers, kept blocks and instructions; then those: code, place of the result, four
   places. Places are counted through inputs, outputs, single numbers and kept blocks. */
enum { INPUTS, OUTPUTS, SINGLES, KEPT, INSTRUCTIONS, FIRST, STEP = 6 };

#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC optimize("fp-contract=off")
#else
#pragma STDC FP_CONTRACT OFF
#endif

/* A whole number lies in the same four bytes. */
static inline __attribute__((always_inline)) int32_t whole(float bits) {
  int32_t number;
  memcpy(&number, &bits, sizeof number);
  return number;
}
static inline __attribute__((always_inline)) float bits_of(int32_t number) {
  float bits;
  memcpy(&bits, &number, sizeof bits);
  return bits;
}

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
    EACH(EXP, expf(a[i]))
    EACH(LOG, logf(a[i]))
    EACH(EXPM1, expm1f(a[i]))
    EACH(LOG1P, log1pf(a[i]))
    EACH(POW, powf(a[i], b[i]))
    EACH(TANH, tanhf(a[i]))
    EACH(LOGISTIC, 1 / (1 + expf(-a[i])))
    EACH(RSQRT, 1 / sqrtf(a[i]))
    EACH(INVERSE, 1 / a[i])
    EACH(INVERSE_SQUARE, 1 / (a[i] * a[i]))
    EACH(FINITE, a[i] - a[i] == 0)
    EACH(NOT, a[i] == 0)
    EACH(WHOLE_ADD, bits_of(whole(a[i]) + whole(b[i])))
    EACH(WHOLE_SUB, bits_of(whole(a[i]) - whole(b[i])))
    EACH(WHOLE_MUL, bits_of(whole(a[i]) * whole(b[i])))
    EACH(WHOLE_EQ, whole(a[i]) == whole(b[i]))
    EACH(WHOLE_AND, bits_of(whole(a[i]) & whole(b[i])))
    EACH(WHOLE_LEFT, bits_of(whole(a[i]) << whole(b[i])))
    EACH(WHOLE_RIGHT, bits_of(whole(a[i]) >> whole(b[i])))
    EACH(FROM_WHOLE, (float)whole(a[i]))
    EACH(COS, cosf(a[i]))
    EACH(FLOOR, floorf(a[i]))
  }
}

/* A program for `size` numbers, of which the first of each input and output lie at `homes`. */
WIDE static void carry_along(const int64_t *program, float *const *homes, const float *singles, int64_t size) {
  const int64_t arrays = program[INPUTS] + program[OUTPUTS], first_kept = arrays + program[SINGLES];
  const int64_t *end = program + FIRST + STEP * program[INSTRUCTIONS];
  const int64_t filled = size < BLOCK ? size : BLOCK;
  float kept[PLACES][BLOCK] __attribute__((aligned(64))), *place[PLACES];
  for (int64_t i = 0; i < arrays; i++) place[i] = homes[i];
  for (int64_t i = arrays; i < first_kept + program[KEPT]; i++) place[i] = kept[i];
  for (int64_t i = arrays; i < first_kept; i++)
    for (int64_t j = 0; j < filled; j++) kept[i][j] = singles[i - arrays];
  for (; size > 0; size -= BLOCK) {
    for (const int64_t *step = program + FIRST; step < end; step += STEP) {
      const float *const from[] = {place[step[2]], place[step[3]], place[step[4]], place[step[5]]};
      carry_out(step[0], place[step[1]], from, size < BLOCK ? size : BLOCK);
    }
    for (int64_t i = 0; i < arrays; i++) place[i] += BLOCK;
  }
}
