/* Products and sums of small or narrow arrays, on one core. All are float32, row by row unless steps say otherwise. */

/* out (rows, columns) = left (rows, depth) right (depth, columns); a step leads from one number of an axis to the next. */
struct narrow {
  const float *left, *right;
  float *out;
  long rows, columns, depth, left_row, left_depth, right_depth, right_column;
};

void downslope_narrow(const struct narrow *of);
/* (outer, middle, inner) -> (outer, inner), and back with the same number in every place. */
void downslope_sum(const float *from, float *out, long outer, long middle, long inner);
void downslope_spread(const float *from, float *out, long outer, long middle, long inner);
/* (rows, columns) -> (columns, rows) */
void downslope_turn(const float *from, float *out, long rows, long columns);
