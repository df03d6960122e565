/* Functions of single numbers that the compiler can turn into vectors: no branches, no calls. Included where products are rounded
   by themselves, so that all processors give the same bits. Numbers below the normal ones count as 0.

   Each takes off what is known exactly, the power of two, and adds up a short series of what is left, by S. L. Moshier's Cephes. */

#include <math.h>
#include <stdint.h>
#include <string.h>

#define INLINE_FUNCTION static inline __attribute__((always_inline))
static const float LN2_HIGH = 0.693359375f, LN2_LOW = -2.12194440e-4f; /* the first of so few digits that products of it are exact */

/* A whole number lies in the same four bytes. */
INLINE_FUNCTION int32_t whole(float bits) {
  int32_t number;
  memcpy(&number, &bits, sizeof number);
  return number;
}
INLINE_FUNCTION float bits_of(int32_t number) {
  float bits;
  memcpy(&bits, &number, sizeof bits);
  return bits;
}
/* a b + c, rounded once. */
INLINE_FUNCTION float fused(float a, float b, float c) { return __builtin_fmaf(a, b, c); }

/* One of two, without a branch. */
INLINE_FUNCTION float chosen(int yes, float one, float other) {
  const int32_t mask = -(int32_t)yes;
  return bits_of((whole(one) & mask) | (whole(other) & ~mask));
}
INLINE_FUNCTION float power_of_two(int32_t exponent) { return bits_of((exponent + 127) << 23); }

/* exp(rest) - 1 of a number near 0. */
INLINE_FUNCTION float grown(float rest) {
  float series = 1.9875691500e-4f;
  series = fused(series, rest, 1.3981999507e-3f);
  series = fused(series, rest, 8.3334519073e-3f);
  series = fused(series, rest, 4.1665795894e-2f);
  series = fused(series, rest, 1.6666665459e-1f);
  series = fused(series, rest, 5.0000001201e-1f);
  return fused(series, rest * rest, rest);
}

/* How often the logarithm of 2 is in x, to the nearest whole number, and what is left. */
INLINE_FUNCTION float times_ln2(float x, float *rest) {
  const float times = fused(x, 1.44269504f, 12582912.0f) - 12582912.0f;
  *rest = fused(times, -LN2_LOW, fused(times, -LN2_HIGH, x));
  return times;
}

INLINE_FUNCTION float exponential(float x) {
  const float lowest = -87.33654f, above = chosen(x > lowest, x, lowest), inside = chosen(above < 89, above, 89); /* 89 is infinity */
  float rest;
  const int32_t times = (int32_t)times_ln2(inside, &rest), half = times >> 1;
  const float value = (grown(rest) + 1) * power_of_two(half) * power_of_two(times - half);
  return chosen(x != x, x, chosen(x < lowest, 0, value));
}

INLINE_FUNCTION float exponential_less_1(float x) {
  const float above = chosen(x > -18, x, -18), inside = chosen(above < 30, above, 30);
  float rest;
  const int32_t times = (int32_t)times_ln2(inside, &rest);
  const float power = power_of_two(times), more = grown(rest), value = fused(more, power, power - 1);
  return chosen(x != x, x, chosen(x > 30, exponential(x), chosen(times == 0, more, value)));
}

INLINE_FUNCTION float logarithm(float x) {
  const int32_t bits = whole(x);
  float part = bits_of((bits & 0x7fffff) | 0x3f000000);
  const int low = part < 0.707106781f;
  const float exponent = (float)((bits >> 23) - 126 - low);
  part = chosen(low, part + part, part) - 1;
  const float square = part * part;
  float series = 7.0376836292e-2f;
  series = fused(series, part, -1.1514610310e-1f);
  series = fused(series, part, 1.1676998740e-1f);
  series = fused(series, part, -1.2420140846e-1f);
  series = fused(series, part, 1.4249322787e-1f);
  series = fused(series, part, -1.6668057665e-1f);
  series = fused(series, part, 2.0000714765e-1f);
  series = fused(series, part, -2.4999993993e-1f);
  series = fused(series, part, 3.3333331174e-1f);
  const float small = fused(-0.5f, square, fused(series * part, square, exponent * LN2_LOW));
  const float value = fused(exponent, LN2_HIGH, part + small);
  const float outside = chosen(x < 0, NAN, chosen(x < 1.17549435e-38f, -INFINITY, x)); /* infinity, or no number */
  return chosen((x >= 1.17549435e-38f) & (x < INFINITY), value, outside);
}

/* What 1 + x loses in rounding is made good by the quotient. */
INLINE_FUNCTION float logarithm_of_1_and(float x) {
  const float sum = 1 + x, value = logarithm(sum) * (x / (sum - 1));
  return chosen((sum == 1) | (sum == INFINITY), x, chosen(sum == 0, -INFINITY, value));
}

INLINE_FUNCTION float hyperbolic_tangent(float x) {
  const float size = chosen(x < 0, -x, x), less = exponential_less_1(-2 * size), value = -less / (less + 2);
  return chosen(x < 0, -value, chosen(x == 0, x, value));
}
