/* Products and sums of small or narrow arrays. The numbers of a sum are added in one order, each product rounded together with its
   sum: a result does not depend on the width of the machine's registers. */

#include "products.h"

#include <stdint.h>
#include <string.h>

#include "call.h"

enum { SIDE = 8, CHAINS = 4, TURNED = 4096 }; /* sums that are added up side by side; numbers that are turned over first */
#define INLINE static inline __attribute__((always_inline))

INLINE float joined(const float *part) {
  return ((part[0] + part[4]) + (part[2] + part[6])) + ((part[1] + part[5]) + (part[3] + part[7]));
}

typedef float eight __attribute__((vector_size(SIDE * sizeof(float))));
typedef int32_t order __attribute__((vector_size(SIDE * sizeof(float))));
#if defined(__clang__)
#define MIXED(a, b, ...) __builtin_shufflevector(a, b, __VA_ARGS__)
#else
#define MIXED(a, b, ...) __builtin_shuffle(a, b, (order){__VA_ARGS__})
#endif

INLINE eight eight_at(const float *from) {
  eight found;
  memcpy(&found, from, sizeof found);
  return found;
}

/* The first few of eight, with zeros after them. */
INLINE eight few_at(const float *from, long count) {
  float padded[SIDE] = {0};
  for (long at = 0; at < count && at < SIDE; at++) padded[at] = from[at];
  return eight_at(padded);
}

/* The same, where eight may be read. */
INLINE eight few_of_eight_at(const float *from, order where) {
  const eight found = eight_at(from);
  return (eight)((order)found & where);
}

/* The sums of eight parts each of eight rows, in the order of `joined`. */
INLINE eight joined_rows(const eight *part) {
  eight four[4], two[2];
  for (int i = 0; i < 4; i++)
    four[i] = MIXED(part[i], part[i + 4], 0, 1, 2, 3, 8, 9, 10, 11) + MIXED(part[i], part[i + 4], 4, 5, 6, 7, 12, 13, 14, 15);
  for (int i = 0; i < 2; i++)
    two[i] = MIXED(four[2 * i], four[2 * i + 1], 0, 1, 8, 9, 4, 5, 12, 13) + MIXED(four[2 * i], four[2 * i + 1], 2, 3, 10, 11, 6, 7, 14, 15);
  return MIXED(two[0], two[1], 0, 2, 8, 10, 4, 6, 12, 14) + MIXED(two[0], two[1], 1, 3, 9, 11, 5, 7, 13, 15);
}

/* Inner products of rows, eight rows at once. */
INLINE void by_rows(const struct narrow *of, const float *right, float *out, long out_step) {
  const long whole = of->depth / SIDE * SIDE, few = of->depth - whole;
  const eight last = few_at(right + whole, few);
  const order place = {0, 1, 2, 3, 4, 5, 6, 7}, where = place < (int32_t)few;
  for (long row = 0; row < of->rows; row += SIDE) {
    const long count = of->rows - row < SIDE ? of->rows - row : SIDE;
    const float *left[SIDE];
    eight part[SIDE] = {{0}};
    for (long i = 0; i < SIDE; i++) left[i] = of->left + (row + (i < count ? i : 0)) * of->left_row;
    for (long at = 0; at < whole; at += SIDE) {
      const eight factor = eight_at(right + at);
      for (int i = 0; i < SIDE; i++) part[i] += eight_at(left[i] + at) * factor;
    }
    if (few && (of->rows - row - SIDE) * of->left_row + few >= SIDE)
      for (int i = 0; i < SIDE; i++) part[i] += few_of_eight_at(left[i] + whole, where) * last;
    else if (few) /* in memory, too few may be left to read eight */
      for (int i = 0; i < SIDE; i++) part[i] += few_at(left[i] + whole, few) * last;
    const eight sums = joined_rows(part);
    if (count == SIDE && out_step == 1) memcpy(out + row, &sums, sizeof sums);
    else
      for (long i = 0; i < count; i++) out[(row + i) * out_step] = sums[i];
  }
}

/* Sums of some columns' products, each in so many chains that one need not wait for the other. */
INLINE void by_columns(const struct narrow *of, const float *right, long right_step, float *out, long row, const int wide) {
  const long left = of->rows - row < SIDE * wide ? of->rows - row : SIDE * wide, step = of->left_depth;
  const long missing = row + SIDE * wide <= step ? 0 : (SIDE * wide - left + step - 1) / step;
  const long safe = of->depth > missing ? of->depth - missing : 0;
  const float *from = of->left + row;
  eight sums[CHAINS][2] = {{{0}}};
  long depth = 0;
  for (; depth + CHAINS <= safe; depth += CHAINS, from += CHAINS * step)
#pragma GCC unroll 4
    for (int chain = 0; chain < CHAINS; chain++)
#pragma GCC unroll 2
      for (int i = 0; i < wide; i++) sums[chain][i] += eight_at(from + chain * step + SIDE * i) * right[(depth + chain) * right_step];
  for (; depth < of->depth; depth += CHAINS, from += CHAINS * step) /* in memory, too few may be left to read them all */
#pragma GCC unroll 4
    for (int chain = 0; chain < CHAINS; chain++)
      if (depth + chain < of->depth)
#pragma GCC unroll 2
        for (int i = 0; i < wide; i++) {
          const float *here = from + chain * step + SIDE * i;
          sums[chain][i] += (depth + chain < safe ? eight_at(here) : few_at(here, left - SIDE * i)) * right[(depth + chain) * right_step];
        }
#pragma GCC unroll 2
  for (int i = 0; i < wide; i++) {
    const eight all = (sums[0][i] + sums[2][i]) + (sums[1][i] + sums[3][i]);
    if (left - SIDE * i >= SIDE) memcpy(out + row + SIDE * i, &all, sizeof all);
    else
      for (long at = 0; SIDE * i + at < left; at++) out[row + SIDE * i + at] = all[at];
  }
}

INLINE void add_times(float *restrict out, const float *restrict from, float factor, long count) {
  for (long at = 0; at < count; at++) out[at] += factor * from[at];
}

/* Products of single numbers, so many columns at a time. A sum begins at 0, so no product is -0. */
INLINE void products_of_columns(const struct narrow *of, const float *right, long column, const int wide) {
  const float *left = of->left;
  float *out = of->out + column;
  const long rows = of->rows, left_row = of->left_row, columns = of->columns;
  const eight zero = {0};
  eight factor[SIDE];
  for (int i = 0; i < wide; i++) factor[i] = eight_at(right + column + SIDE * i);
  for (long row = 0; row < rows; row++, left += left_row, out += columns)
#pragma GCC unroll 8
    for (int i = 0; i < wide; i++) {
      const eight found = zero + *left * factor[i];
      memcpy(out + SIDE * i, &found, sizeof found);
    }
}

INLINE void by_single_numbers(const struct narrow *of, const float *right) {
  long column = 0;
  for (; column + SIDE * SIDE <= of->columns; column += SIDE * SIDE) products_of_columns(of, right, column, SIDE);
  for (; column + SIDE <= of->columns; column += SIDE) products_of_columns(of, right, column, 1);
  for (; column < of->columns; column++)
    for (long row = 0; row < of->rows; row++) of->out[row * of->columns + column] = 0 + of->left[row * of->left_row] * right[column];
}

/* One column: by rows where these lie together, else by columns. */
INLINE void by_one_column(const struct narrow *of, const float *right, long right_step, float *out, long out_step) {
  if (of->left_depth == 1 && right_step == 1) {
    by_rows(of, right, out, out_step);
  } else if (of->left_row == 1 && out_step == 1) {
    long row = 0;
    for (; of->rows - row > SIDE; row += 2 * SIDE) by_columns(of, right, right_step, out, row, 2);
    if (row < of->rows) by_columns(of, right, right_step, out, row, 1);
  } else {
    for (long row = 0; row < of->rows; row++) {
      float sum = 0;
      for (long depth = 0; depth < of->depth; depth++)
        sum += of->left[row * of->left_row + depth * of->left_depth] * right[depth * right_step];
      out[row * out_step] = sum;
    }
  }
}

/* Whether the right side, in rows of whole vectors, fits beside the sums. */
INLINE int fits(const struct narrow *of) { return (of->columns + SIDE - 1) / SIDE * SIDE * of->depth <= TURNED; }

/* Several columns: each row by the columns of the right side, which is laid out for that first where it is not too large. */
INLINE void by_many_columns(const struct narrow *of) {
  const long wide = (of->columns + SIDE - 1) / SIDE * SIDE;
  struct narrow turned = {.left = of->right, .rows = of->columns, .columns = 1, .depth = of->depth, .left_row = 1,
                          .left_depth = of->right_depth};
  float right[TURNED];
  if (fits(of) && (of->right_column != 1 || of->columns < wide)) {
    for (long depth = 0; depth < of->depth; depth++)
      for (long column = 0; column < wide; column++)
        right[depth * wide + column] = column < of->columns ? of->right[depth * of->right_depth + column * of->right_column] : 0;
    turned.left = right, turned.left_depth = wide;
  }
  if (of->depth == 1) {
    by_single_numbers(of, turned.left);
    return;
  }
  for (long row = 0; row < of->rows; row++) {
    const float *left = of->left + row * of->left_row;
    float *out = of->out + row * of->columns;
    if (of->depth >= CHAINS) {
      by_one_column(&turned, left, of->left_depth, out, 1);
      continue;
    }
    for (long column = 0; column < of->columns; column++) out[column] = 0;
    for (long depth = 0; depth < of->depth; depth++)
      add_times(out, turned.left + depth * turned.left_depth, left[depth * of->left_depth], of->columns);
  }
}

WIDE void downslope_narrow(const struct narrow *of) {
  if (of->rows == 1 && of->columns > 1) { /* the same, turned over */
    const struct narrow turned = {.left = of->right, .right = of->left, .out = of->out, .rows = of->columns, .columns = 1,
                                  .depth = of->depth, .left_row = of->right_column, .left_depth = of->right_depth,
                                  .right_depth = of->left_depth, .right_column = of->left_row};
    by_one_column(&turned, turned.right, turned.right_depth, turned.out, 1);
  } else if (of->columns > 1 && (of->right_column == 1 || fits(of))) {
    by_many_columns(of);
  } else {
    for (long column = 0; column < of->columns; column++)
      by_one_column(of, of->right + column * of->right_column, of->right_depth, of->out + column, of->columns);
  }
}

WIDE void downslope_sum(const float *from, float *out, long outer, long middle, long inner) {
  for (long each = 0; each < outer; each++, from += middle * inner, out += inner) {
    if (inner == 1) {
      float part[SIDE] = {0};
      long at = 0;
      for (; at + SIDE <= middle; at += SIDE)
        for (int side = 0; side < SIDE; side++) part[side] += from[at + side];
      for (int side = 0; at < middle; at++, side++) part[side] += from[at];
      *out = joined(part);
      continue;
    }
    for (long at = 0; at < inner; at++) out[at] = 0;
    for (long number = 0; number < middle; number++)
      for (long at = 0; at < inner; at++) out[at] += from[number * inner + at];
  }
}

void downslope_spread(const float *from, float *out, long outer, long middle, long inner) {
  for (long each = 0; each < outer; each++, from += inner)
    for (long number = 0; number < middle; number++, out += inner)
      for (long at = 0; at < inner; at++) out[at] = from[at];
}

void downslope_turn(const float *from, float *out, long rows, long columns) {
  for (long row = 0; row < rows; row++)
    for (long column = 0; column < columns; column++) out[column * rows + row] = from[row * columns + column];
}
