/* The layer for one kind of vector registers. Included by layer.c once for each kind, with NAME(x) a name of its own, TARGET an
   attribute that lets the compiler use them, LANES numbers in a register, REGISTERS of them side by side in a tile of ROWS rows:
   as large as the register file allows, so that each number that is loaded serves many sums. */

typedef float NAME(vector) __attribute__((vector_size(4 * LANES), aligned(4), may_alias));
typedef int NAME(truth) __attribute__((vector_size(4 * LANES), aligned(4), may_alias));
#define INLINE static inline __attribute__((always_inline)) TARGET
#define UNROLLED _Pragma("GCC unroll 8")
#define COLUMNS (LANES * REGISTERS)
#define AT(place) (*(NAME(vector) *)(place))
#define SEEN(place) (*(const NAME(vector) *)(place))

INLINE NAME(vector) NAME(only)(const NAME(vector) value, const NAME(truth) where) {
  return (NAME(vector))((NAME(truth))value & where);
}

/* A tile of so many rows and registers. */
INLINE void NAME(tile)(const int rows, const int registers, const int turned, const struct product *of, const float *left,
                       const float *right, const float *bias, float *out) {
  const long depth = of->depth, right_step = of->right_step;
  const long row_step = turned ? 1 : of->left_step, depth_step = turned ? of->left_step : 1;
  NAME(vector) sum[ROWS][REGISTERS];
  UNROLLED for (int at = 0; at < registers; at++) {
    const NAME(vector) start = bias ? SEEN(bias + at * LANES) : (NAME(vector)){0};
    UNROLLED for (int row = 0; row < rows; row++) sum[row][at] = start;
  }
  for (long number = 0; number < depth; number++, left += depth_step, right += right_step) {
    NAME(vector) each[REGISTERS];
    UNROLLED for (int at = 0; at < registers; at++) each[at] = SEEN(right + at * LANES);
    UNROLLED for (int row = 0; row < rows; row++) {
      const NAME(vector) one = left[row * row_step] - (NAME(vector)){0};
      UNROLLED for (int at = 0; at < registers; at++) sum[row][at] += one * each[at];
    }
  }
  UNROLLED for (int row = 0; row < rows; row++) UNROLLED for (int at = 0; at < registers; at++) {
    float *place = out + row * of->out_step + at * LANES;
    NAME(vector) value = sum[row][at];
    if (of->more) value += SEEN(place);
    AT(place) = of->rectified ? NAME(only)(value, ~(value <= 0)) : value; /* what is no number stays so */
  }
}

/* All rows of COLUMNS columns, or of the fewest. */
INLINE void NAME(stripe)(const int registers, const int turned, const struct product *of, const float *right, const float *bias,
                         float *out) {
  const long row_step = turned ? 1 : of->left_step;
  long row = 0;
  for (; row + ROWS <= of->rows; row += ROWS)
    NAME(tile)(ROWS, registers, turned, of, of->left + row * row_step, right, bias, out + row * of->out_step);
  const float *left = of->left + row * row_step;
  out += row * of->out_step;
  switch (of->rows - row) { /* together, for each tile reads all of the right factor */
  case 1: NAME(tile)(1, registers, turned, of, left, right, bias, out); break;
  case 2: NAME(tile)(2, registers, turned, of, left, right, bias, out); break;
  case 3: NAME(tile)(3, registers, turned, of, left, right, bias, out); break;
  case 4: NAME(tile)(4, registers, turned, of, left, right, bias, out); break;
  case 5: NAME(tile)(5, registers, turned, of, left, right, bias, out); break;
  }
}

/* All columns. The left factor is read by its columns where it is `turned`. */
INLINE void NAME(multiply)(const int turned, const struct product *of) {
  long column = 0;
  for (; column + COLUMNS <= of->columns; column += COLUMNS)
    NAME(stripe)(REGISTERS, turned, of, of->right + column, of->bias ? of->bias + column : 0, of->out + column);
  for (; column < of->columns; column += FEWEST)
    NAME(stripe)(FEWEST / LANES, turned, of, of->right + column, of->bias ? of->bias + column : 0, of->out + column);
}

/* Whether so little of the first rows is not 0 that it pays to look for it, as where classes have a column each. */
INLINE int NAME(thin)(const float *x, long step, long rows, long inputs) {
  const long some = rows < SEEN_ROWS ? rows : SEEN_ROWS;
  long count = 0;
  for (long row = 0; row < some; row++)
    for (long at = 0; at < inputs; at++) count += x[row * step + at] != 0;
  return inputs >= LANES && count * THIN <= some * inputs;
}

/* Where in a row there is something else than 0; `places` has room for a register more. */
INLINE long NAME(filled)(const float *row, long count, int *places) {
  long at = 0, found = 0;
#ifdef FILLED
  for (; at + LANES <= count; at += LANES) FILLED(row, at, places, found)
#endif
  for (; at < count; at++) {
    places[found] = at;
    found += row[at] != 0;
  }
  return found;
}

/* The same sums as of a tile, without what is 0: that adds nothing to a finite number. */
INLINE void NAME(thin_row)(const int registers, const struct product *of, const float *left, const int *places, long found,
                           const float *right, const float *bias, float *out) {
  NAME(vector) sum[REGISTERS];
  UNROLLED for (int at = 0; at < registers; at++) sum[at] = bias ? SEEN(bias + at * LANES) : (NAME(vector)){0};
  for (long number = 0; number < found; number++) {
    const NAME(vector) one = left[places[number]] - (NAME(vector)){0};
    UNROLLED for (int at = 0; at < registers; at++) sum[at] += one * SEEN(right + places[number] * of->right_step + at * LANES);
  }
  UNROLLED for (int at = 0; at < registers; at++) {
    NAME(vector) value = sum[at];
    if (of->more) value += SEEN(out + at * LANES);
    AT(out + at * LANES) = of->rectified ? NAME(only)(value, ~(value <= 0)) : value;
  }
}

INLINE void NAME(multiply_thin)(const struct product *of) {
  int places[CHUNK + LANES];
  for (long row = 0; row < of->rows; row++) {
    const float *left = of->left + row * of->left_step;
    float *out = of->out + row * of->out_step;
    const long found = NAME(filled)(left, of->depth, places);
    long column = 0;
    for (; column + COLUMNS <= of->columns; column += COLUMNS)
      NAME(thin_row)(REGISTERS, of, left, places, found, of->right + column, of->bias ? of->bias + column : 0, out + column);
    for (; column < of->columns; column += FEWEST)
      NAME(thin_row)(FEWEST / LANES, of, left, places, found, of->right + column, of->bias ? of->bias + column : 0, out + column);
  }
}

/* The gradient by the weights from rows with little in them: each adds to the few weights that it has to do with. */
static TARGET __attribute__((noinline)) void NAME(gather_thin)(const struct product *of) {
  float total[THIN_INPUTS * BLOCK];
  int places[THIN_INPUTS + LANES];
  for (long at = 0; at < of->rows * of->columns; at += LANES) AT(total + at) = (NAME(vector)){0};
  for (long row = 0; row < of->depth; row++) {
    const float *left = of->left + row * of->left_step, *right = of->right + row * of->right_step;
    const long found = NAME(filled)(left, of->rows, places);
    for (long number = 0; number < found; number++) {
      const NAME(vector) one = left[places[number]] - (NAME(vector)){0};
      float *out = total + places[number] * of->columns;
      for (long at = 0; at < of->columns; at += LANES) AT(out + at) += one * SEEN(right + at);
    }
  }
  for (long row = 0; row < of->rows; row++)
    for (long at = 0; at < of->columns; at += LANES) {
      NAME(vector) value = SEEN(total + row * of->columns + at);
      float *out = of->out + row * of->out_step + at;
      if (of->more) value += SEEN(out);
      AT(out) = value;
    }
}

/* The slope of some columns, copied without what the rectifier has cut off, and its sum over rows; in the same go so many rows
   of the gradient by the weights, for the core would otherwise wait for the memory. */
INLINE void NAME(cut_tile)(const int inputs, const int registers, const struct layer *all, long start, long rows, long column,
                           float *copy, long step) {
  const float *slope = all->slope + start * all->outputs + column, *result = all->result + start * all->outputs + column;
  const float *x = all->x + start * all->inputs;
  NAME(vector) total[REGISTERS], sum[ROWS][REGISTERS];
  UNROLLED for (int at = 0; at < registers; at++) {
    total[at] = start ? SEEN(all->by_bias + column + at * LANES) : (NAME(vector)){0};
    UNROLLED for (int input = 0; input < inputs; input++) sum[input][at] = (NAME(vector)){0};
  }
  for (long row = 0; row < rows; row++, slope += all->outputs, result += all->outputs, x += all->inputs, copy += step) {
    NAME(vector) each[REGISTERS];
    UNROLLED for (int at = 0; at < registers; at++) {
      each[at] = AT(copy + at * LANES) = NAME(only)(SEEN(slope + at * LANES), SEEN(result + at * LANES) > 0);
      total[at] += each[at];
    }
    UNROLLED for (int input = 0; input < inputs; input++) {
      const NAME(vector) one = x[input] - (NAME(vector)){0};
      UNROLLED for (int at = 0; at < registers; at++) sum[input][at] += one * each[at];
    }
  }
  UNROLLED for (int at = 0; at < registers; at++) {
    AT(all->by_bias + column + at * LANES) = total[at];
    UNROLLED for (int input = 0; input < inputs; input++) {
      float *place = all->by_weight + input * all->outputs + column + at * LANES;
      if (start) sum[input][at] += SEEN(place);
      AT(place) = sum[input][at];
    }
  }
}

/* The same for all columns of a block. */
INLINE void NAME(cut)(const int inputs, const struct layer *all, long start, long rows, long column, long columns, float *copy) {
  long at = 0;
  for (; at + COLUMNS <= columns; at += COLUMNS)
    NAME(cut_tile)(inputs, REGISTERS, all, start, rows, column + at, copy + at, columns);
  for (; at < columns; at += FEWEST)
    NAME(cut_tile)(inputs, FEWEST / LANES, all, start, rows, column + at, copy + at, columns);
}

static TARGET void NAME(forward)(const struct layer *all) {
  for (long start = 0; start < all->inputs; start += CHUNK) {
    const long left = all->inputs - start, depth = left < CHUNK ? left : CHUNK;
    const struct product of = {.left = all->x + start, .left_step = all->inputs, .right = all->weight + start * all->outputs,
                               .right_step = all->outputs, .bias = start ? 0 : all->bias, .out = all->out,
                               .out_step = all->outputs, .rows = all->rows, .columns = all->outputs, .depth = depth,
                               .more = start > 0, .rectified = depth == left};
    if (NAME(thin)(of.left, of.left_step, of.rows, of.depth)) NAME(multiply_thin)(&of);
    else NAME(multiply)(0, &of);
  }
}

/* A square of weights with its rows as columns. */
INLINE void NAME(turn)(const float *from, long from_step, float *to, long to_step) {
#ifdef TURNED
  TURNED(from, from_step, to, to_step);
#else
  for (int at = 0; at < FEWEST; at++)
    for (int side = 0; side < FEWEST; side++) to[at * to_step + side] = from[side * from_step + at];
#endif
}

static TARGET void NAME(backward)(const struct layer *all) {
  const int thin = !all->by_x && all->inputs <= THIN_INPUTS && NAME(thin)(all->x, all->inputs, all->rows, all->inputs);
  float slope[CHUNK * BLOCK], weight[BLOCK * BLOCK];
  for (long start = 0; start < all->rows; start += CHUNK) {
    const long left = all->rows - start, rows = left < CHUNK ? left : CHUNK;
    for (long column = 0; column < all->outputs; column += BLOCK) {
      const long rest = all->outputs - column, columns = rest < BLOCK ? rest : BLOCK;
      const int first = thin || all->inputs < ROWS ? 0 : ROWS - 1;
      if (first) NAME(cut)(ROWS - 1, all, start, rows, column, columns, slope);
      else NAME(cut)(0, all, start, rows, column, columns, slope);
      const struct product by_weight = {.left = all->x + start * all->inputs + first, .left_step = all->inputs, .right = slope,
                                        .right_step = columns, .out = all->by_weight + first * all->outputs + column,
                                        .out_step = all->outputs, .rows = all->inputs - first, .columns = columns,
                                        .depth = rows, .more = start > 0};
      if (thin) NAME(gather_thin)(&by_weight);
      else NAME(multiply)(1, &by_weight);
      if (!all->by_x) continue;
      for (long input = 0; input < all->inputs; input += BLOCK) {
        const long more = all->inputs - input, inputs = more < BLOCK ? more : BLOCK;
        for (long at = 0; at < inputs; at += FEWEST)
          for (long number = 0; number < columns; number += FEWEST)
            NAME(turn)(all->weight + (input + at) * all->outputs + column + number, all->outputs,
                       weight + number * inputs + at, inputs);
        const struct product by_x = {.left = slope, .left_step = columns, .right = weight, .right_step = inputs,
                                     .out = all->by_x + start * all->inputs + input, .out_step = all->inputs, .rows = rows,
                                     .columns = inputs, .depth = columns, .more = column > 0};
        NAME(multiply)(0, &by_x);
      }
    }
  }
}

#undef NAME
#undef TARGET
#undef LANES
#undef REGISTERS
#undef INLINE
#undef UNROLLED
#undef COLUMNS
#undef AT
#undef SEEN
#undef FILLED
#undef TURNED
