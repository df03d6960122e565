/* A small network's layer with rectifiers, forward and backward, on one core; called by XLA.

   All matrices are float32, row by row. The numbers of a sum are added one after another, in chunks that are added in turn, each
   product rounded together with its sum: a result depends neither on the width of the machine's registers nor on other rows. */

#include "layer.h"

#include "call.h"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

enum { ROWS = 6, FEWEST = 16, BLOCK = 64, CHUNK = 128 }; /* of a tile; columns; columns and rows that stay in the cache */
enum { SEEN_ROWS = 8, THIN = 4, THIN_INPUTS = 256 }; /* at most one number in four is not 0 */

struct product {
  const float *left, *right, *bias;
  float *out;
  long left_step, right_step, out_step; /* from one row in memory to the next */
  long rows, columns, depth;
  int more, rectified; /* whether it is added to what is there; whether what is below 0 becomes 0 */
};

typedef void run(const struct layer *);

#if defined(__x86_64__)
#define NAME(x) x##_avx512
#define TARGET __attribute__((target("avx512f,avx512dq,avx512vl,avx512bw,fma")))
#define LANES 16
#define REGISTERS 4
#define FILLED(row, at, places, found)                                                                                         \
  {                                                                                                                            \
    const __mmask16 some = _mm512_cmp_ps_mask(_mm512_loadu_ps(row + at), _mm512_setzero_ps(), _CMP_NEQ_UQ);                      \
    const __m512i all = _mm512_add_epi32(_mm512_set1_epi32(at), _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15)); \
    _mm512_storeu_si512(places + found, _mm512_maskz_compress_epi32(some, all));                                               \
    found += __builtin_popcount(some);                                                                                         \
  }
#define TURNED turned_avx512
/* A square of numbers with its rows as columns: in each turn those of the upper half go between those of the lower. */
static inline TARGET void turned_avx512(const float *from, long from_step, float *to, long to_step) {
  const __m512i low = _mm512_setr_epi32(0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
  const __m512i high = _mm512_add_epi32(low, _mm512_set1_epi32(8));
  __m512 row[16], mixed[16];
  for (int at = 0; at < 16; at++) row[at] = _mm512_loadu_ps(from + at * from_step);
  for (int turn = 0; turn < 4; turn++) {
    for (int at = 0; at < 8; at++) {
      mixed[2 * at] = _mm512_permutex2var_ps(row[at], low, row[at + 8]);
      mixed[2 * at + 1] = _mm512_permutex2var_ps(row[at], high, row[at + 8]);
    }
    for (int at = 0; at < 16; at++) row[at] = mixed[at];
  }
  for (int at = 0; at < 16; at++) _mm512_storeu_ps(to + at * to_step, row[at]);
}
#include "layer_tiles.h"
#define NAME(x) x##_avx2
#define TARGET __attribute__((target("avx2,fma")))
#define LANES 8
#define REGISTERS 2
#include "layer_tiles.h"

#if defined(WITHOUT_AVX512) /* for a test */
static int has_avx512(void) { return 0; }
#else
static int has_avx512(void) {
  return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl") &&
         __builtin_cpu_supports("avx512bw");
}
#endif
static int able(void) { return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"); }
static run *forward(void) { return has_avx512() ? forward_avx512 : forward_avx2; }
static run *backward(void) { return has_avx512() ? backward_avx512 : backward_avx2; }
#elif defined(__aarch64__)
#define NAME(x) x##_neon
#define TARGET
#define LANES 4
#define REGISTERS 4
#include "layer_tiles.h"

static int able(void) { return 1; }
static run *forward(void) { return forward_neon; }
static run *backward(void) { return backward_neon; }
#else
static int able(void) { return 0; }
static run *forward(void) { return 0; }
static run *backward(void) { return 0; }
#endif

void downslope_layer_forth(const struct layer *all) { forward()(all); }
void downslope_layer_back(const struct layer *all) { backward()(all); }

/* Whether this processor can. */
int downslope_able(void) { return able(); }

static const void *given(XLA_FFI_CallFrame *frame, long number) { return argument(frame, number)->data; }
static void *place(XLA_FFI_CallFrame *frame, long number) { return result(frame, number)->data; }
static long size(XLA_FFI_CallFrame *frame, long number, long axis) { return argument(frame, number)->dims[axis]; }

/* x, weight, bias -> relu(x weight + bias) */
XLA_FFI_Error *downslope_layer(XLA_FFI_CallFrame *frame) {
  if (asked(frame)) return 0;
  const struct layer all = {.x = given(frame, 0), .weight = given(frame, 1), .bias = given(frame, 2), .out = place(frame, 0),
                            .rows = size(frame, 0, 0), .inputs = size(frame, 0, 1), .outputs = size(frame, 1, 1)};
  downslope_layer_forth(&all);
  return 0;
}

/* x, weight, result, slope -> the gradients by weight and bias, and by x where a third is asked for */
XLA_FFI_Error *downslope_layer_backward(XLA_FFI_CallFrame *frame) {
  if (asked(frame)) return 0;
  const struct layer all = {.x = given(frame, 0), .weight = given(frame, 1), .result = given(frame, 2), .slope = given(frame, 3),
                            .by_weight = place(frame, 0), .by_bias = place(frame, 1),
                            .by_x = frame->rets.size > 2 ? place(frame, 2) : 0,
                            .rows = size(frame, 0, 0), .inputs = size(frame, 0, 1), .outputs = size(frame, 1, 1)};
  downslope_layer_back(&all);
  return 0;
}
