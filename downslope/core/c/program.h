/* Programs of arithmetic, number by number, carried out for a block of numbers at a time, so that what lies between never leaves
   the nearest cache.

   Every result is rounded by itself: it depends neither on the width of the machine's registers nor on how work is shared.
   Whatever includes this is compiled so to its end: it must not be followed by what wants products rounded with their sums. */

#include <math.h>
#include <stdint.h>

#ifndef BLOCK
#define BLOCK 96 /* numbers */
#endif
enum { PLACES = 48 }; /* of a program */
/* Program: how many inputs, outputs, single numbers, kept blocks and instructions; then those: code, place of the result, four
   places. Places are counted through inputs, outputs, single numbers and kept blocks. */
enum { INPUTS, OUTPUTS, SINGLES, KEPT, INSTRUCTIONS, FIRST, STEP = 6 };

#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC optimize("fp-contract=off")
#else
#pragma STDC FP_CONTRACT OFF
#endif

#include "functions.h"

/* What an instruction makes of up to four numbers; a comparison gives 1 or 0. */
#define OPERATIONS(OF)                                                                                                         \
  OF(ADD, a + b)                                                                                                               \
  OF(SUB, a - b)                                                                                                               \
  OF(MUL, a * b)                                                                                                               \
  OF(DIV, a / b)                                                                                                               \
  OF(MAX, chosen((a > b) | (a != a), a, b))                                                                                    \
  OF(MIN, chosen((a < b) | (a != a), a, b))                                                                                    \
  OF(GT, a > b)                                                                                                                \
  OF(LT, a < b)                                                                                                                \
  OF(GE, a >= b)                                                                                                               \
  OF(LE, a <= b)                                                                                                               \
  OF(EQ, a == b)                                                                                                               \
  OF(NE, a != b)                                                                                                               \
  OF(SQRT, sqrtf(a))                                                                                                           \
  OF(ABS, fabsf(a))                                                                                                            \
  OF(NEG, -a)                                                                                                                  \
  OF(SIGN, chosen(a > 0, 1, chosen(a < 0, -1, a)))                                                                             \
  OF(COPY, a)                                                                                                                  \
  OF(SELECT, chosen(a != 0, c, b))                                                                                             \
  OF(MIX, a * b + c * d)                                                                                                       \
  OF(MUL_ADD, a * b + c)                                                                                                       \
  OF(DIV_ADD, a / b + c)                                                                                                       \
  OF(SQRT_ADD, sqrtf(a) + b)                                                                                                   \
  OF(DIV_SUB, a / b - c * d)                                                                                                   \
  OF(EXP, exponential(a))                                                                                                      \
  OF(LOG, logarithm(a))                                                                                                        \
  OF(EXPM1, exponential_less_1(a))                                                                                             \
  OF(LOG1P, logarithm_of_1_and(a))                                                                                             \
  OF(POW, powf(a, b))                                                                                                          \
  OF(TANH, hyperbolic_tangent(a))                                                                                              \
  OF(LOGISTIC, 1 / (1 + exponential(-a)))                                                                                      \
  OF(RSQRT, 1 / sqrtf(a))                                                                                                      \
  OF(INVERSE, 1 / a)                                                                                                           \
  OF(INVERSE_SQUARE, 1 / (a * a))                                                                                              \
  OF(FINITE, a - a == 0)                                                                                                       \
  OF(NOT, a == 0)                                                                                                              \
  OF(WHOLE_ADD, bits_of(whole(a) + whole(b)))                                                                                  \
  OF(WHOLE_SUB, bits_of(whole(a) - whole(b)))                                                                                  \
  OF(WHOLE_MUL, bits_of(whole(a) * whole(b)))                                                                                  \
  OF(WHOLE_EQ, whole(a) == whole(b))                                                                                           \
  OF(WHOLE_AND, bits_of(whole(a) & whole(b)))                                                                                  \
  OF(WHOLE_LEFT, bits_of(whole(a) << whole(b)))                                                                                \
  OF(WHOLE_RIGHT, bits_of(whole(a) >> whole(b)))                                                                               \
  OF(FROM_WHOLE, (float)whole(a))                                                                                              \
  OF(COS, cosf(a))                                                                                                             \
  OF(FLOOR, floorf(a))

#define CODE(name, what) name,
enum { OPERATIONS(CODE) ONE_MUL, ONE_MIX, ONE_MUL_ADD, SQRT_ADD_ONE }; /* the last with single numbers, which stay in a register */

#define FUNCTION(name, what)                                                                                                   \
  static inline __attribute__((always_inline)) float do_##name(float a, float b, float c, float d) { return what; }
OPERATIONS(FUNCTION)

/* Whole blocks have a loop of their own, for which the compiler knows the length. */
#define EACH(name, what)                                                                                                       \
  case name:                                                                                                                   \
    if (count == BLOCK)                                                                                                        \
      _Pragma("GCC ivdep") for (int i = 0; i < BLOCK; i++) to[i] = (what);                                                     \
    else                                                                                                                       \
      _Pragma("GCC ivdep") for (int i = 0; i < count; i++) to[i] = (what);                                                     \
    break;
#define INSTRUCTION(name, what) EACH(name, do_##name(a[i], b[i], c[i], d[i]))

/* One instruction for a block. A result may take the place of what it is made of. */
static inline __attribute__((always_inline)) void carry_out(int code, float *to, const float *const *from, int count) {
  const float *a = from[0], *b = from[1], *c = from[2], *d = from[3];
  const float first = *a, second = *b, third = *c;
  switch (code) {
    OPERATIONS(INSTRUCTION)
    EACH(ONE_MUL, first * b[i])
    EACH(ONE_MIX, first * b[i] + third * d[i])
    EACH(ONE_MUL_ADD, first * b[i] + c[i])
    EACH(SQRT_ADD_ONE, sqrtf(a[i]) + second)
  }
}

/* A program for `size` numbers, of which the first of each input and output lie at `homes`. */
WIDE __attribute__((unused)) static void carry_along(const int64_t *program, float *const *homes, const float *singles, int64_t size) {
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
