/* Scripts of operations on numbered values, as core/script.py makes them. */

#include <stdint.h>

/* Operations: code, length of the whole, and what it needs. */
enum { ARITHMETIC, LAYER, LAYER_BACK, NARROW, SUM, SPREAD, TURN, SURPRISE };

/* A script from its first operation to its end, on values that lie where `value` says. */
void downslope_carry_out(const int64_t *script, const int64_t *end, float *const *value);
