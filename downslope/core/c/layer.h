/* A layer with rectifiers: its matrices, float32, row by row. */

struct layer {
  const float *x, *weight, *bias; /* (rows, inputs), (inputs, outputs), (outputs) */
  const float *result, *slope;    /* backward: what came out, and the gradient by it */
  float *out;
  float *by_x, *by_weight, *by_bias; /* no `by_x` where nobody asks */
  long rows, inputs, outputs;
};

/* On one core; outputs, and inputs where `by_x` is asked for, in multiples of 16. */
void downslope_layer_forth(const struct layer *all);
void downslope_layer_back(const struct layer *all);
