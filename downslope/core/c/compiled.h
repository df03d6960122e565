/* Programs that are compiled and need not be carried out instruction by instruction. */

#include <stdint.h>

struct compiled {
  const int64_t *text;
  int64_t length;
  void (*run)(float *const *homes, const float *singles, int64_t size); /* as carry_along, with the same bits */
};

/* A program by its text; 0 where it is not compiled. */
const struct compiled *downslope_compiled(const int64_t *text, int64_t length);
