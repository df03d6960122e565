/* Products and sums of small or narrow arrays. The numbers of a sum are added in one order, each product rounded together with its
   sum: a result does not depend on the width of the machine's registers. */

#include "products.h"

#include "call.h"

enum { SIDE = 8 }; /* sums that are added up side by side */
#define INLINE static inline __attribute__((always_inline))

INLINE float joined(const float *part) {
  return ((part[0] + part[4]) + (part[2] + part[6])) + ((part[1] + part[5]) + (part[3] + part[7]));
}

INLINE float inner_product(const float *left, const float *right, long count) {
  float part[SIDE] = {0};
  long at = 0;
  for (; at + SIDE <= count; at += SIDE)
    for (int side = 0; side < SIDE; side++) part[side] += left[at + side] * right[at + side];
  for (int side = 0; at < count; at++, side++) part[side] += left[at] * right[at];
  return joined(part);
}

INLINE void add_times(float *restrict out, const float *restrict from, float factor, long count) {
  for (long at = 0; at < count; at++) out[at] += factor * from[at];
}

/* One column: by rows where these lie together, else by columns. */
INLINE void by_one_column(const struct narrow *of, const float *right, long right_step, float *out, long out_step) {
  if (of->left_depth == 1 && right_step == 1) {
    for (long row = 0; row < of->rows; row++) out[row * out_step] = inner_product(of->left + row * of->left_row, right, of->depth);
  } else if (of->left_row == 1 && out_step == 1) {
    for (long row = 0; row < of->rows; row++) out[row] = 0;
    for (long depth = 0; depth < of->depth; depth++)
      add_times(out, of->left + depth * of->left_depth, right[depth * right_step], of->rows);
  } else {
    for (long row = 0; row < of->rows; row++) {
      float sum = 0;
      for (long depth = 0; depth < of->depth; depth++)
        sum += of->left[row * of->left_row + depth * of->left_depth] * right[depth * right_step];
      out[row * out_step] = sum;
    }
  }
}

WIDE void downslope_narrow(const struct narrow *of) {
  if (of->rows == 1 && of->columns > 1) { /* the same, turned over */
    const struct narrow turned = {.left = of->right, .right = of->left, .out = of->out, .rows = of->columns, .columns = 1,
                                  .depth = of->depth, .left_row = of->right_column, .left_depth = of->right_depth,
                                  .right_depth = of->left_depth, .right_column = of->left_row};
    by_one_column(&turned, turned.right, turned.right_depth, turned.out, 1);
  } else if (of->right_column == 1 && of->columns > 1) {
    for (long row = 0; row < of->rows; row++) {
      float *out = of->out + row * of->columns;
      for (long column = 0; column < of->columns; column++) out[column] = 0;
      for (long depth = 0; depth < of->depth; depth++)
        add_times(out, of->right + depth * of->right_depth, of->left[row * of->left_row + depth * of->left_depth], of->columns);
    }
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
