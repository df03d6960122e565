/* Cross-entropy of rows of scores and their labels, on one core. */

#include <stdint.h>

/* No `slope` where nobody asks for the gradient by the scores. */
void downslope_surprise(const float *score, const int32_t *label, float *value, float *slope, int64_t count, int64_t classes);
