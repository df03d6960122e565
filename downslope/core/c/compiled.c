/* Programs of our losses and default optimizers, compiled: made from their formulas by `make generate`, not to be edited. */

#include "compiled.h"

#include "call.h"

#include "program.h"

static const int64_t text_absolute_error[] = {
    2, 2, 2, 2, 6, 1, 6, 0, 1, 0, 1, 13, 7, 6, 6, 6, 6, 15, 6, 6, 6, 6, 6, 2,
    2, 7, 4, 7, 4, 45, 7, 5, 4, 5, 4, 2, 3, 6, 7, 6, 7,
};

WIDE static void run_absolute_error(float *const *homes, const float *singles, int64_t size) {
  float *a0 = homes[0];
  float *a1 = homes[1];
  float *a2 = homes[2];
  float *a3 = homes[3];
  _Pragma("GCC ivdep") for (int64_t i = 0; i < size; i++) {
    const float v0 = do_SUB(a0[i], a1[i], 0, 0);
    const float v1 = do_ABS(v0, 0, 0, 0);
    const float v2 = do_SIGN(v0, 0, 0, 0);
    const float v3 = do_MUL(v1, singles[0], 0, 0);
    const float v4 = do_MUL(singles[1], singles[0], 0, 0);
    const float v5 = do_MUL(v2, v4, 0, 0);
    a2[i] = v3;
    a3[i] = v5;
  }
}

static const int64_t text_absolute_error_learned[] = {
    6, 2, 2, 3, 10, 0, 10, 0, 8, 0, 8, 1, 10, 10, 1, 10, 1, 13, 11, 10, 10, 10, 10, 15,
    10, 10, 10, 10, 10, 6, 12, 2, 9, 2, 9, 2, 11, 11, 2, 11, 2, 17, 6, 12, 3, 11, 12, 17,
    12, 12, 4, 5, 12, 2, 12, 12, 2, 12, 2, 2, 7, 10, 12, 10, 12,
};

WIDE static void run_absolute_error_learned(float *const *homes, const float *singles, int64_t size) {
  float *a0 = homes[0];
  float *a1 = homes[1];
  float *a2 = homes[2];
  float *a3 = homes[3];
  float *a4 = homes[4];
  float *a5 = homes[5];
  float *a6 = homes[6];
  float *a7 = homes[7];
  _Pragma("GCC ivdep") for (int64_t i = 0; i < size; i++) {
    const float v0 = do_ADD(a0[i], singles[0], 0, 0);
    const float v1 = do_SUB(v0, a1[i], 0, 0);
    const float v2 = do_ABS(v1, 0, 0, 0);
    const float v3 = do_SIGN(v1, 0, 0, 0);
    const float v4 = do_GT(a2[i], singles[1], 0, 0);
    const float v5 = do_MUL(v2, a2[i], 0, 0);
    const float v6 = do_SELECT(v4, a3[i], v5, 0);
    const float v7 = do_SELECT(v4, a4[i], a5[i], 0);
    const float v8 = do_MUL(v7, a2[i], 0, 0);
    const float v9 = do_MUL(v3, v8, 0, 0);
    a6[i] = v6;
    a7[i] = v9;
  }
}

static const int64_t text_absolute_error_scored[] = {
    4, 2, 2, 2, 6, 0, 4, 0, 6, 0, 6, 1, 8, 4, 1, 4, 1, 13, 8, 8, 8, 8, 8, 6,
    9, 2, 7, 2, 7, 2, 8, 8, 2, 8, 2, 17, 5, 9, 3, 8, 9,
};

WIDE static void run_absolute_error_scored(float *const *homes, const float *singles, int64_t size) {
  float *a0 = homes[0];
  float *a1 = homes[1];
  float *a2 = homes[2];
  float *a3 = homes[3];
  float *a4 = homes[4];
  float *a5 = homes[5];
  _Pragma("GCC ivdep") for (int64_t i = 0; i < size; i++) {
    const float v0 = do_ADD(a0[i], singles[0], 0, 0);
    const float v1 = do_SUB(v0, a1[i], 0, 0);
    const float v2 = do_ABS(v1, 0, 0, 0);
    const float v3 = do_GT(a2[i], singles[1], 0, 0);
    const float v4 = do_MUL(v2, a2[i], 0, 0);
    const float v5 = do_SELECT(v3, a3[i], v4, 0);
    a4[i] = v0;
    a5[i] = v5;
  }
}

static const int64_t text_absolute_percentage_error[] = {
    2, 2, 2, 2, 8, 1, 6, 0, 1, 0, 1, 13, 7, 6, 6, 6, 6, 15, 6, 6, 6, 6, 6, 3,
    7, 7, 1, 7, 1, 2, 2, 7, 4, 7, 4, 45, 7, 5, 4, 5, 4, 3, 7, 7, 1, 7, 1, 2,
    3, 6, 7, 6, 7,
};

WIDE static void run_absolute_percentage_error(float *const *homes, const float *singles, int64_t size) {
  float *a0 = homes[0];
  float *a1 = homes[1];
  float *a2 = homes[2];
  float *a3 = homes[3];
  _Pragma("GCC ivdep") for (int64_t i = 0; i < size; i++) {
    const float v0 = do_SUB(a0[i], a1[i], 0, 0);
    const float v1 = do_ABS(v0, 0, 0, 0);
    const float v2 = do_SIGN(v0, 0, 0, 0);
    const float v3 = do_DIV(v1, a1[i], 0, 0);
    const float v4 = do_MUL(v3, singles[0], 0, 0);
    const float v5 = do_MUL(singles[1], singles[0], 0, 0);
    const float v6 = do_DIV(v5, a1[i], 0, 0);
    const float v7 = do_MUL(v2, v6, 0, 0);
    a2[i] = v4;
    a3[i] = v7;
  }
}

static const int64_t text_binary_cross_entropy[] = {
    2, 2, 4, 7, 23, 45, 8, 4, 0, 4, 0, 1, 9, 5, 0, 5, 0, 6, 10, 1, 6, 1, 6, 14,
    11, 1, 1, 1, 1, 17, 11, 10, 1, 11, 10, 23, 11, 11, 11, 11, 11, 2, 12, 8, 11, 8, 11, 1,
    12, 9, 12, 9, 12, 2, 13, 9, 11, 9, 11, 1, 13, 13, 8, 13, 8, 17, 13, 10, 13, 12, 10, 0,
    12, 5, 11, 5, 11, 3, 13, 13, 12, 13, 12, 2, 12, 9, 1, 9, 1, 14, 14, 8, 8, 8, 8, 2,
    14, 14, 1, 14, 1, 17, 14, 10, 14, 12, 10, 0, 9, 8, 9, 8, 9, 26, 11, 11, 11, 11, 11, 19,
    14, 9, 11, 14, 9, 2, 2, 14, 7, 14, 7, 45, 14, 5, 7, 5, 7, 2, 3, 13, 14, 13, 14,
};

WIDE static void run_binary_cross_entropy(float *const *homes, const float *singles, int64_t size) {
  float *a0 = homes[0];
  float *a1 = homes[1];
  float *a2 = homes[2];
  float *a3 = homes[3];
  _Pragma("GCC ivdep") for (int64_t i = 0; i < size; i++) {
    const float v0 = do_MUL(singles[0], a0[i], 0, 0);
    const float v1 = do_SUB(singles[1], a0[i], 0, 0);
    const float v2 = do_GT(a1[i], singles[2], 0, 0);
    const float v3 = do_NEG(a1[i], 0, 0, 0);
    const float v4 = do_SELECT(v2, a1[i], v3, 0);
    const float v5 = do_EXP(v4, 0, 0, 0);
    const float v6 = do_MUL(v0, v5, 0, 0);
    const float v7 = do_SUB(v1, v6, 0, 0);
    const float v8 = do_MUL(v1, v5, 0, 0);
    const float v9 = do_SUB(v8, v0, 0, 0);
    const float v10 = do_SELECT(v2, v9, v7, 0);
    const float v11 = do_ADD(singles[1], v5, 0, 0);
    const float v12 = do_DIV(v10, v11, 0, 0);
    const float v13 = do_MUL(v1, a1[i], 0, 0);
    const float v14 = do_NEG(v0, 0, 0, 0);
    const float v15 = do_MUL(v14, a1[i], 0, 0);
    const float v16 = do_SELECT(v2, v15, v13, 0);
    const float v17 = do_ADD(v0, v1, 0, 0);
    const float v18 = do_LOG1P(v5, 0, 0, 0);
    const float v19 = do_MUL_ADD(v17, v18, v16, 0);
    const float v20 = do_MUL(v19, singles[3], 0, 0);
    const float v21 = do_MUL(singles[1], singles[3], 0, 0);
    const float v22 = do_MUL(v12, v21, 0, 0);
    a2[i] = v20;
    a3[i] = v22;
  }
}

static const int64_t text_binary_cross_entropy_learned[] = {
    6, 2, 4, 8, 27, 0, 12, 0, 8, 0, 8, 45, 13, 9, 1, 9, 1, 1, 14, 10, 1, 10, 1, 6,
    15, 12, 11, 12, 11, 14, 16, 12, 12, 12, 12, 17, 16, 15, 12, 16, 15, 23, 16, 16, 16, 16, 16, 2,
    17, 13, 16, 13, 16, 1, 17, 14, 17, 14, 17, 2, 18, 14, 16, 14, 16, 1, 18, 18, 13, 18, 13, 17,
    18, 15, 18, 17, 15, 0, 17, 10, 16, 10, 16, 3, 18, 18, 17, 18, 17, 2, 17, 14, 12, 14, 12, 14,
    19, 13, 13, 13, 13, 2, 12, 19, 12, 19, 12, 17, 15, 15, 12, 17, 15, 0, 14, 13, 14, 13, 14, 26,
    16, 16, 16, 16, 16, 19, 15, 14, 16, 15, 14, 6, 14, 2, 11, 2, 11, 2, 15, 15, 2, 15, 2, 17,
    6, 14, 3, 15, 14, 17, 14, 14, 4, 5, 14, 2, 14, 14, 2, 14, 2, 2, 7, 18, 14, 18, 14,
};

WIDE static void run_binary_cross_entropy_learned(float *const *homes, const float *singles, int64_t size) {
  float *a0 = homes[0];
  float *a1 = homes[1];
  float *a2 = homes[2];
  float *a3 = homes[3];
  float *a4 = homes[4];
  float *a5 = homes[5];
  float *a6 = homes[6];
  float *a7 = homes[7];
  _Pragma("GCC ivdep") for (int64_t i = 0; i < size; i++) {
    const float v0 = do_ADD(a0[i], singles[0], 0, 0);
    const float v1 = do_MUL(singles[1], a1[i], 0, 0);
    const float v2 = do_SUB(singles[2], a1[i], 0, 0);
    const float v3 = do_GT(v0, singles[3], 0, 0);
    const float v4 = do_NEG(v0, 0, 0, 0);
    const float v5 = do_SELECT(v3, v0, v4, 0);
    const float v6 = do_EXP(v5, 0, 0, 0);
    const float v7 = do_MUL(v1, v6, 0, 0);
    const float v8 = do_SUB(v2, v7, 0, 0);
    const float v9 = do_MUL(v2, v6, 0, 0);
    const float v10 = do_SUB(v9, v1, 0, 0);
    const float v11 = do_SELECT(v3, v10, v8, 0);
    const float v12 = do_ADD(singles[2], v6, 0, 0);
    const float v13 = do_DIV(v11, v12, 0, 0);
    const float v14 = do_MUL(v2, v0, 0, 0);
    const float v15 = do_NEG(v1, 0, 0, 0);
    const float v16 = do_MUL(v15, v0, 0, 0);
    const float v17 = do_SELECT(v3, v16, v14, 0);
    const float v18 = do_ADD(v1, v2, 0, 0);
    const float v19 = do_LOG1P(v6, 0, 0, 0);
    const float v20 = do_MUL_ADD(v18, v19, v17, 0);
    const float v21 = do_GT(a2[i], singles[3], 0, 0);
    const float v22 = do_MUL(v20, a2[i], 0, 0);
    const float v23 = do_SELECT(v21, a3[i], v22, 0);
    const float v24 = do_SELECT(v21, a4[i], a5[i], 0);
    const float v25 = do_MUL(v24, a2[i], 0, 0);
    const float v26 = do_MUL(v13, v25, 0, 0);
    a6[i] = v23;
    a7[i] = v26;
  }
}

static const int64_t text_binary_cross_entropy_scored[] = {
    4, 2, 4, 5, 17, 0, 4, 0, 6, 0, 6, 45, 10, 7, 1, 7, 1, 1, 11, 8, 1, 8, 1, 6,
    12, 4, 9, 4, 9, 2, 13, 11, 4, 11, 4, 14, 14, 10, 10, 10, 10, 2, 14, 14, 4, 14, 4, 17,
    14, 12, 14, 13, 12, 0, 11, 10, 11, 10, 11, 14, 10, 4, 4, 4, 4, 17, 12, 12, 4, 10, 12, 23,
    12, 12, 12, 12, 12, 26, 12, 12, 12, 12, 12, 19, 14, 11, 12, 14, 11, 6, 12, 2, 9, 2, 9, 2,
    14, 14, 2, 14, 2, 17, 5, 12, 3, 14, 12,
};

WIDE static void run_binary_cross_entropy_scored(float *const *homes, const float *singles, int64_t size) {
  float *a0 = homes[0];
  float *a1 = homes[1];
  float *a2 = homes[2];
  float *a3 = homes[3];
  float *a4 = homes[4];
  float *a5 = homes[5];
  _Pragma("GCC ivdep") for (int64_t i = 0; i < size; i++) {
    const float v0 = do_ADD(a0[i], singles[0], 0, 0);
    const float v1 = do_MUL(singles[1], a1[i], 0, 0);
    const float v2 = do_SUB(singles[2], a1[i], 0, 0);
    const float v3 = do_GT(v0, singles[3], 0, 0);
    const float v4 = do_MUL(v2, v0, 0, 0);
    const float v5 = do_NEG(v1, 0, 0, 0);
    const float v6 = do_MUL(v5, v0, 0, 0);
    const float v7 = do_SELECT(v3, v6, v4, 0);
    const float v8 = do_ADD(v1, v2, 0, 0);
    const float v9 = do_NEG(v0, 0, 0, 0);
    const float v10 = do_SELECT(v3, v0, v9, 0);
    const float v11 = do_EXP(v10, 0, 0, 0);
    const float v12 = do_LOG1P(v11, 0, 0, 0);
    const float v13 = do_MUL_ADD(v8, v12, v7, 0);
    const float v14 = do_GT(a2[i], singles[3], 0, 0);
    const float v15 = do_MUL(v13, a2[i], 0, 0);
    const float v16 = do_SELECT(v14, a3[i], v15, 0);
    a4[i] = v0;
    a5[i] = v16;
  }
}

static const int64_t text_binary_focal[] = {
    2, 2, 9, 16, 79, 45, 13, 4, 0, 4, 0, 1, 13, 13, 5, 13, 5, 2, 14, 13, 1, 13, 1, 6,
    15, 14, 6, 14, 6, 14, 16, 14, 14, 14, 14, 17, 17, 15, 14, 16, 15, 23, 17, 17, 17, 17, 17, 0,
    18, 5, 17, 5, 17, 1, 19, 18, 5, 18, 5, 1, 20, 18, 19, 18, 19, 1, 20, 5, 20, 5, 20, 1,
    19, 17, 19, 17, 19, 0, 20, 20, 19, 20, 19, 14, 19, 7, 7, 7, 7, 17, 14, 15, 8, 14, 15, 39,
    21, 19, 9, 19, 9, 1, 22, 19, 21, 19, 21, 39, 23, 14, 9, 14, 9, 1, 14, 14, 23, 14, 23, 2,
    24, 21, 23, 21, 23, 18, 23, 21, 14, 22, 23, 19, 14, 22, 14, 23, 22, 0, 22, 24, 14, 24, 14, 1,
    23, 22, 24, 22, 24, 1, 21, 22, 23, 22, 23, 1, 21, 24, 21, 24, 21, 1, 23, 14, 23, 14, 23, 0,
    23, 21, 23, 21, 23, 23, 22, 22, 22, 22, 22, 33, 21, 22, 22, 22, 22, 2, 23, 22, 23, 22, 23, 17,
    23, 21, 8, 23, 21, 0, 23, 22, 23, 22, 23, 27, 22, 18, 19, 18, 19, 1, 21, 19, 5, 19, 5, 27,
    21, 18, 21, 18, 21, 2, 21, 19, 21, 19, 21, 45, 20, 7, 20, 7, 20, 3, 14, 20, 18, 20, 18, 32,
    18, 18, 18, 18, 18, 1, 14, 5, 14, 5, 14, 2, 24, 22, 14, 22, 14, 2, 25, 23, 24, 23, 24, 17,
    16, 15, 16, 8, 15, 26, 26, 17, 17, 17, 17, 0, 27, 17, 5, 17, 5, 0, 26, 16, 26, 16, 26, 6,
    16, 0, 6, 0, 6, 17, 16, 16, 10, 11, 16, 2, 25, 16, 25, 16, 25, 2, 28, 25, 26, 25, 26, 2,
    2, 28, 12, 28, 12, 45, 28, 5, 12, 5, 12, 2, 25, 25, 28, 25, 28, 2, 28, 28, 26, 28, 26, 2,
    28, 16, 28, 16, 28, 17, 16, 15, 25, 6, 15, 14, 16, 16, 16, 16, 16, 2, 26, 23, 28, 23, 28, 2,
    28, 28, 24, 28, 24, 2, 22, 22, 26, 22, 26, 2, 14, 26, 14, 26, 14, 14, 22, 22, 22, 22, 22, 2,
    22, 22, 18, 22, 18, 2, 22, 22, 20, 22, 20, 14, 22, 22, 22, 22, 22, 20, 22, 25, 27, 22, 25, 19,
    22, 14, 21, 22, 14, 2, 23, 23, 28, 23, 28, 2, 23, 19, 23, 19, 23, 17, 23, 15, 6, 23, 15, 0,
    23, 16, 23, 16, 23, 2, 22, 22, 17, 22, 17, 17, 17, 15, 22, 6, 15, 17, 15, 15, 6, 22, 15, 0,
    23, 23, 17, 23, 17, 14, 15, 15, 15, 15, 15, 0, 23, 23, 15, 23, 15, 2, 3, 13, 23, 13, 23,
};

WIDE static void run_binary_focal(float *const *homes, const float *singles, int64_t size) {
  float *a0 = homes[0];
  float *a1 = homes[1];
  float *a2 = homes[2];
  float *a3 = homes[3];
  _Pragma("GCC ivdep") for (int64_t i = 0; i < size; i++) {
    const float v0 = do_MUL(singles[0], a0[i], 0, 0);
    const float v1 = do_SUB(v0, singles[1], 0, 0);
    const float v2 = do_MUL(v1, a1[i], 0, 0);
    const float v3 = do_GT(v2, singles[2], 0, 0);
    const float v4 = do_NEG(v2, 0, 0, 0);
    const float v5 = do_SELECT(v3, v2, v4, 0);
    const float v6 = do_EXP(v5, 0, 0, 0);
    const float v7 = do_ADD(singles[1], v6, 0, 0);
    const float v8 = do_SUB(v7, singles[1], 0, 0);
    const float v9 = do_SUB(v7, v8, 0, 0);
    const float v10 = do_SUB(singles[1], v9, 0, 0);
    const float v11 = do_SUB(v6, v8, 0, 0);
    const float v12 = do_ADD(v10, v11, 0, 0);
    const float v13 = do_NEG(singles[3], 0, 0, 0);
    const float v14 = do_SELECT(v3, singles[4], v2, 0);
    const float v15 = do_WHOLE_AND(v13, singles[5], 0, 0);
    const float v16 = do_SUB(v13, v15, 0, 0);
    const float v17 = do_WHOLE_AND(v14, singles[5], 0, 0);
    const float v18 = do_SUB(v14, v17, 0, 0);
    const float v19 = do_MUL(v15, v17, 0, 0);
    const float v20 = do_MIX(v15, v18, v16, v17);
    const float v21 = do_MUL_ADD(v16, v18, v20, 0);
    const float v22 = do_ADD(v19, v21, 0, 0);
    const float v23 = do_SUB(v22, v19, 0, 0);
    const float v24 = do_SUB(v22, v23, 0, 0);
    const float v25 = do_SUB(v19, v24, 0, 0);
    const float v26 = do_SUB(v21, v23, 0, 0);
    const float v27 = do_ADD(v25, v26, 0, 0);
    const float v28 = do_EXP(v22, 0, 0, 0);
    const float v29 = do_FINITE(v28, 0, 0, 0);
    const float v30 = do_MUL(v28, v27, 0, 0);
    const float v31 = do_SELECT(v29, singles[4], v30, 0);
    const float v32 = do_ADD(v28, v31, 0, 0);
    const float v33 = do_POW(v7, v13, 0, 0);
    const float v34 = do_SUB(v13, singles[1], 0, 0);
    const float v35 = do_POW(v7, v34, 0, 0);
    const float v36 = do_MUL(v13, v35, 0, 0);
    const float v37 = do_MUL(singles[3], v12, 0, 0);
    const float v38 = do_DIV(v37, v7, 0, 0);
    const float v39 = do_INVERSE_SQUARE(v7, 0, 0, 0);
    const float v40 = do_SUB(singles[1], v38, 0, 0);
    const float v41 = do_MUL(v33, v40, 0, 0);
    const float v42 = do_MUL(v32, v41, 0, 0);
    const float v43 = do_SELECT(v3, v4, singles[4], 0);
    const float v44 = do_LOG1P(v6, 0, 0, 0);
    const float v45 = do_ADD(v6, singles[1], 0, 0);
    const float v46 = do_ADD(v43, v44, 0, 0);
    const float v47 = do_GT(a0[i], singles[2], 0, 0);
    const float v48 = do_SELECT(v47, singles[6], singles[7], 0);
    const float v49 = do_MUL(v48, v42, 0, 0);
    const float v50 = do_MUL(v49, v46, 0, 0);
    const float v51 = do_MUL(v50, singles[8], 0, 0);
    const float v52 = do_MUL(singles[1], singles[8], 0, 0);
    const float v53 = do_MUL(v49, v52, 0, 0);
    const float v54 = do_MUL(v52, v46, 0, 0);
    const float v55 = do_MUL(v48, v54, 0, 0);
    const float v56 = do_SELECT(v3, v53, singles[2], 0);
    const float v57 = do_NEG(v56, 0, 0, 0);
    const float v58 = do_MUL(v32, v55, 0, 0);
    const float v59 = do_MUL(v55, v41, 0, 0);
    const float v60 = do_MUL(v33, v58, 0, 0);
    const float v61 = do_MUL(v58, v40, 0, 0);
    const float v62 = do_NEG(v60, 0, 0, 0);
    const float v63 = do_MUL(v62, v39, 0, 0);
    const float v64 = do_MUL(v63, v37, 0, 0);
    const float v65 = do_NEG(v64, 0, 0, 0);
    const float v66 = do_DIV_ADD(v53, v45, v65, 0);
    const float v67 = do_MUL_ADD(v61, v36, v66, 0);
    const float v68 = do_MUL(v32, v59, 0, 0);
    const float v69 = do_MUL(v13, v68, 0, 0);
    const float v70 = do_SELECT(v3, singles[2], v69, 0);
    const float v71 = do_ADD(v57, v70, 0, 0);
    const float v72 = do_MUL(v67, v6, 0, 0);
    const float v73 = do_SELECT(v3, v72, singles[2], 0);
    const float v74 = do_SELECT(v3, singles[2], v72, 0);
    const float v75 = do_ADD(v71, v73, 0, 0);
    const float v76 = do_NEG(v74, 0, 0, 0);
    const float v77 = do_ADD(v75, v76, 0, 0);
    const float v78 = do_MUL(v1, v77, 0, 0);
    a2[i] = v51;
    a3[i] = v78;
  }
}

static const int64_t text_epsilon_insensitive[] = {
    2, 2, 7, 8, 39, 14, 11, 0, 0, 0, 0, 0, 12, 1, 11, 1, 11, 1, 13, 12, 1, 12, 1, 1,
    14, 12, 13, 12, 13, 1, 14, 1, 14, 1, 14, 1, 13, 11, 13, 11, 13, 0, 14, 14, 13, 14, 13, 14,
    13, 12, 12, 12, 12, 4, 11, 12, 13, 12, 13, 10, 15, 12, 11, 12, 11, 17, 16, 15, 4, 5, 15, 10,
    13, 13, 11, 13, 11, 17, 17, 13, 5, 6, 13, 3, 17, 16, 17, 16, 17, 17, 13, 13, 4, 5, 13, 17,
    15, 15, 5, 6, 15, 3, 15, 13, 15, 13, 15, 6, 12, 12, 4, 12, 4, 14, 13, 14, 14, 14, 14, 17,
    14, 12, 13, 14, 12, 14, 13, 7, 7, 7, 7, 0, 12, 11, 13, 11, 13, 1, 16, 12, 11, 12, 11, 1,
    18, 12, 16, 12, 16, 1, 11, 11, 18, 11, 18, 1, 13, 13, 16, 13, 16, 0, 13, 11, 13, 11, 13, 0,
    14, 14, 13, 14, 13, 0, 14, 12, 14, 12, 14, 7, 12, 14, 4, 14, 4, 17, 12, 12, 14, 8, 12, 15,
    14, 14, 14, 14, 14, 47, 14, 9, 14, 9, 9, 2, 2, 12, 10, 12, 10, 45, 12, 5, 10, 5, 10, 2,
    14, 14, 12, 14, 12, 2, 15, 14, 15, 14, 15, 14, 15, 15, 15, 15, 15, 19, 3, 14, 17, 15, 14,
};

WIDE static void run_epsilon_insensitive(float *const *homes, const float *singles, int64_t size) {
  float *a0 = homes[0];
  float *a1 = homes[1];
  float *a2 = homes[2];
  float *a3 = homes[3];
  _Pragma("GCC ivdep") for (int64_t i = 0; i < size; i++) {
    const float v0 = do_NEG(a0[i], 0, 0, 0);
    const float v1 = do_ADD(a1[i], v0, 0, 0);
    const float v2 = do_SUB(v1, a1[i], 0, 0);
    const float v3 = do_SUB(v1, v2, 0, 0);
    const float v4 = do_SUB(a1[i], v3, 0, 0);
    const float v5 = do_SUB(v0, v2, 0, 0);
    const float v6 = do_ADD(v4, v5, 0, 0);
    const float v7 = do_NEG(v1, 0, 0, 0);
    const float v8 = do_MAX(v1, v7, 0, 0);
    const float v9 = do_EQ(v1, v8, 0, 0);
    const float v10 = do_SELECT(v9, singles[0], singles[1], 0);
    const float v11 = do_EQ(v7, v8, 0, 0);
    const float v12 = do_SELECT(v11, singles[1], singles[2], 0);
    const float v13 = do_DIV(v10, v12, 0, 0);
    const float v14 = do_SELECT(v11, singles[0], singles[1], 0);
    const float v15 = do_SELECT(v9, singles[1], singles[2], 0);
    const float v16 = do_DIV(v14, v15, 0, 0);
    const float v17 = do_GT(v1, singles[0], 0, 0);
    const float v18 = do_NEG(v6, 0, 0, 0);
    const float v19 = do_SELECT(v17, v18, v6, 0);
    const float v20 = do_NEG(singles[3], 0, 0, 0);
    const float v21 = do_ADD(v8, v20, 0, 0);
    const float v22 = do_SUB(v21, v8, 0, 0);
    const float v23 = do_SUB(v21, v22, 0, 0);
    const float v24 = do_SUB(v8, v23, 0, 0);
    const float v25 = do_SUB(v20, v22, 0, 0);
    const float v26 = do_ADD(v24, v25, 0, 0);
    const float v27 = do_ADD(v19, v26, 0, 0);
    const float v28 = do_ADD(v21, v27, 0, 0);
    const float v29 = do_LT(v28, singles[0], 0, 0);
    const float v30 = do_SELECT(v29, v28, singles[4], 0);
    const float v31 = do_SIGN(v28, 0, 0, 0);
    const float v32 = do_MUL_ADD(singles[5], v31, singles[5], 0);
    const float v33 = do_MUL(v30, singles[6], 0, 0);
    const float v34 = do_MUL(singles[1], singles[6], 0, 0);
    const float v35 = do_MUL(v32, v34, 0, 0);
    const float v36 = do_MUL(v35, v16, 0, 0);
    const float v37 = do_NEG(v36, 0, 0, 0);
    const float v38 = do_MUL_ADD(v35, v13, v37, 0);
    a2[i] = v33;
    a3[i] = v38;
  }
}

static const int64_t text_exponential[] = {
    2, 2, 3, 3, 8, 45, 7, 4, 0, 4, 0, 1, 7, 5, 7, 5, 7, 2, 8, 7, 1, 7, 1, 23,
    8, 8, 8, 8, 8, 2, 2, 8, 6, 8, 6, 45, 9, 5, 6, 5, 6, 2, 9, 9, 8, 9, 8, 2,
    3, 7, 9, 7, 9,
};

WIDE static void run_exponential(float *const *homes, const float *singles, int64_t size) {
  float *a0 = homes[0];
  float *a1 = homes[1];
  float *a2 = homes[2];
  float *a3 = homes[3];
  _Pragma("GCC ivdep") for (int64_t i = 0; i < size; i++) {
    const float v0 = do_MUL(singles[0], a0[i], 0, 0);
    const float v1 = do_SUB(singles[1], v0, 0, 0);
    const float v2 = do_MUL(v1, a1[i], 0, 0);
    const float v3 = do_EXP(v2, 0, 0, 0);
    const float v4 = do_MUL(v3, singles[2], 0, 0);
    const float v5 = do_MUL(singles[1], singles[2], 0, 0);
    const float v6 = do_MUL(v5, v3, 0, 0);
    const float v7 = do_MUL(v1, v6, 0, 0);
    a2[i] = v4;
    a3[i] = v7;
  }
}

static const int64_t text_gamma[] = {
    2, 2, 2, 3, 9, 14, 6, 0, 0, 0, 0, 23, 6, 6, 6, 6, 6, 19, 7, 1, 6, 0, 1, 2,
    2, 7, 4, 7, 4, 45, 7, 5, 4, 5, 4, 2, 8, 1, 7, 1, 7, 2, 6, 8, 6, 8, 6, 14,
    6, 6, 6, 6, 6, 0, 3, 7, 6, 7, 6,
};

WIDE static void run_gamma(float *const *homes, const float *singles, int64_t size) {
  float *a0 = homes[0];
  float *a1 = homes[1];
  float *a2 = homes[2];
  float *a3 = homes[3];
  _Pragma("GCC ivdep") for (int64_t i = 0; i < size; i++) {
    const float v0 = do_NEG(a0[i], 0, 0, 0);
    const float v1 = do_EXP(v0, 0, 0, 0);
    const float v2 = do_MUL_ADD(a1[i], v1, a0[i], 0);
    const float v3 = do_MUL(v2, singles[0], 0, 0);
    const float v4 = do_MUL(singles[1], singles[0], 0, 0);
    const float v5 = do_MUL(a1[i], v4, 0, 0);
    const float v6 = do_MUL(v5, v1, 0, 0);
    const float v7 = do_NEG(v6, 0, 0, 0);
    const float v8 = do_ADD(v4, v7, 0, 0);
    a2[i] = v3;
    a3[i] = v8;
  }
}

static const int64_t text_hinge[] = {
    2, 2, 6, 3, 13, 45, 10, 4, 0, 4, 0, 1, 10, 10, 5, 10, 5, 2, 11, 10, 1, 10, 1, 1,
    11, 5, 11, 5, 11, 7, 12, 11, 6, 11, 6, 17, 12, 12, 11, 7, 12, 15, 11, 11, 11, 11, 11, 47,
    11, 8, 11, 8, 8, 2, 2, 12, 9, 12, 9, 45, 12, 5, 9, 5, 9, 2, 12, 11, 12, 11, 12, 14,
    12, 12, 12, 12, 12, 2, 3, 10, 12, 10, 12,
};

WIDE static void run_hinge(float *const *homes, const float *singles, int64_t size) {
  float *a0 = homes[0];
  float *a1 = homes[1];
  float *a2 = homes[2];
  float *a3 = homes[3];
  _Pragma("GCC ivdep") for (int64_t i = 0; i < size; i++) {
    const float v0 = do_MUL(singles[0], a0[i], 0, 0);
    const float v1 = do_SUB(v0, singles[1], 0, 0);
    const float v2 = do_MUL(v1, a1[i], 0, 0);
    const float v3 = do_SUB(singles[1], v2, 0, 0);
    const float v4 = do_LT(v3, singles[2], 0, 0);
    const float v5 = do_SELECT(v4, v3, singles[3], 0);
    const float v6 = do_SIGN(v3, 0, 0, 0);
    const float v7 = do_MUL_ADD(singles[4], v6, singles[4], 0);
    const float v8 = do_MUL(v5, singles[5], 0, 0);
    const float v9 = do_MUL(singles[1], singles[5], 0, 0);
    const float v10 = do_MUL(v7, v9, 0, 0);
    const float v11 = do_NEG(v10, 0, 0, 0);
    const float v12 = do_MUL(v1, v11, 0, 0);
    a2[i] = v8;
    a3[i] = v12;
  }
}

static const int64_t text_hinge_learned[] = {
    6, 2, 5, 4, 17, 0, 13, 0, 8, 0, 8, 45, 14, 9, 1, 9, 1, 1, 14, 14, 10, 14, 10, 2,
    13, 14, 13, 14, 13, 1, 13, 10, 13, 10, 13, 7, 15, 13, 11, 13, 11, 17, 15, 15, 13, 2, 15, 15,
    13, 13, 13, 13, 13, 47, 13, 12, 13, 12, 12, 6, 16, 3, 11, 3, 11, 2, 15, 15, 3, 15, 3, 17,
    6, 16, 2, 15, 16, 17, 16, 16, 4, 5, 16, 2, 16, 16, 3, 16, 3, 2, 13, 13, 16, 13, 16, 14,
    13, 13, 13, 13, 13, 2, 7, 14, 13, 14, 13,
};

WIDE static void run_hinge_learned(float *const *homes, const float *singles, int64_t size) {
  float *a0 = homes[0];
  float *a1 = homes[1];
  float *a2 = homes[2];
  float *a3 = homes[3];
  float *a4 = homes[4];
  float *a5 = homes[5];
  float *a6 = homes[6];
  float *a7 = homes[7];
  _Pragma("GCC ivdep") for (int64_t i = 0; i < size; i++) {
    const float v0 = do_ADD(a0[i], singles[0], 0, 0);
    const float v1 = do_MUL(singles[1], a1[i], 0, 0);
    const float v2 = do_SUB(v1, singles[2], 0, 0);
    const float v3 = do_MUL(v2, v0, 0, 0);
    const float v4 = do_SUB(singles[2], v3, 0, 0);
    const float v5 = do_LT(v4, singles[3], 0, 0);
    const float v6 = do_SELECT(v5, v4, a2[i], 0);
    const float v7 = do_SIGN(v4, 0, 0, 0);
    const float v8 = do_MUL_ADD(singles[4], v7, singles[4], 0);
    const float v9 = do_GT(a3[i], singles[3], 0, 0);
    const float v10 = do_MUL(v6, a3[i], 0, 0);
    const float v11 = do_SELECT(v9, a2[i], v10, 0);
    const float v12 = do_SELECT(v9, a4[i], a5[i], 0);
    const float v13 = do_MUL(v12, a3[i], 0, 0);
    const float v14 = do_MUL(v8, v13, 0, 0);
    const float v15 = do_NEG(v14, 0, 0, 0);
    const float v16 = do_MUL(v2, v15, 0, 0);
    a6[i] = v11;
    a7[i] = v16;
  }
}

static const int64_t text_hinge_scored[] = {
    4, 2, 4, 2, 10, 0, 4, 0, 6, 0, 6, 45, 10, 7, 1, 7, 1, 1, 10, 10, 8, 10, 8, 2,
    10, 10, 4, 10, 4, 1, 10, 8, 10, 8, 10, 7, 11, 10, 9, 10, 9, 17, 11, 11, 10, 2, 11, 6,
    10, 3, 9, 3, 9, 2, 11, 11, 3, 11, 3, 17, 5, 10, 2, 11, 10,
};

WIDE static void run_hinge_scored(float *const *homes, const float *singles, int64_t size) {
  float *a0 = homes[0];
  float *a1 = homes[1];
  float *a2 = homes[2];
  float *a3 = homes[3];
  float *a4 = homes[4];
  float *a5 = homes[5];
  _Pragma("GCC ivdep") for (int64_t i = 0; i < size; i++) {
    const float v0 = do_ADD(a0[i], singles[0], 0, 0);
    const float v1 = do_MUL(singles[1], a1[i], 0, 0);
    const float v2 = do_SUB(v1, singles[2], 0, 0);
    const float v3 = do_MUL(v2, v0, 0, 0);
    const float v4 = do_SUB(singles[2], v3, 0, 0);
    const float v5 = do_LT(v4, singles[3], 0, 0);
    const float v6 = do_SELECT(v5, v4, a2[i], 0);
    const float v7 = do_GT(a3[i], singles[3], 0, 0);
    const float v8 = do_MUL(v6, a3[i], 0, 0);
    const float v9 = do_SELECT(v7, a2[i], v8, 0);
    a4[i] = v0;
    a5[i] = v9;
  }
}

static const int64_t text_huber[] = {
    2, 2, 6, 4, 13, 1, 10, 0, 1, 0, 1, 13, 11, 10, 10, 10, 10, 9, 12, 11, 4, 11, 4, 2,
    13, 10, 10, 10, 10, 45, 13, 5, 13, 5, 13, 1, 11, 11, 6, 11, 6, 45, 11, 4, 11, 4, 11, 17,
    13, 12, 11, 13, 12, 4, 10, 7, 10, 7, 10, 5, 10, 4, 10, 4, 10, 2, 2, 13, 8, 13, 8, 45,
    13, 9, 8, 9, 8, 2, 3, 10, 13, 10, 13,
};

WIDE static void run_huber(float *const *homes, const float *singles, int64_t size) {
  float *a0 = homes[0];
  float *a1 = homes[1];
  float *a2 = homes[2];
  float *a3 = homes[3];
  _Pragma("GCC ivdep") for (int64_t i = 0; i < size; i++) {
    const float v0 = do_SUB(a0[i], a1[i], 0, 0);
    const float v1 = do_ABS(v0, 0, 0, 0);
    const float v2 = do_LE(v1, singles[0], 0, 0);
    const float v3 = do_MUL(v0, v0, 0, 0);
    const float v4 = do_MUL(singles[1], v3, 0, 0);
    const float v5 = do_SUB(v1, singles[2], 0, 0);
    const float v6 = do_MUL(singles[0], v5, 0, 0);
    const float v7 = do_SELECT(v2, v6, v4, 0);
    const float v8 = do_MAX(singles[3], v0, 0, 0);
    const float v9 = do_MIN(singles[0], v8, 0, 0);
    const float v10 = do_MUL(v7, singles[4], 0, 0);
    const float v11 = do_MUL(singles[5], singles[4], 0, 0);
    const float v12 = do_MUL(v9, v11, 0, 0);
    a2[i] = v10;
    a3[i] = v12;
  }
}

static const int64_t text_huber_learned[] = {
    6, 2, 6, 4, 17, 0, 14, 0, 8, 0, 8, 1, 14, 14, 1, 14, 1, 13, 15, 14, 14, 14, 14, 9,
    16, 15, 9, 15, 9, 2, 17, 14, 14, 14, 14, 45, 17, 10, 17, 10, 17, 1, 15, 15, 11, 15, 11, 45,
    15, 9, 15, 9, 15, 17, 15, 16, 15, 17, 16, 4, 14, 12, 14, 12, 14, 5, 14, 9, 14, 9, 14, 6,
    17, 2, 13, 2, 13, 2, 15, 15, 2, 15, 2, 17, 6, 17, 3, 15, 17, 17, 17, 17, 4, 5, 17, 2,
    17, 17, 2, 17, 2, 2, 7, 14, 17, 14, 17,
};

WIDE static void run_huber_learned(float *const *homes, const float *singles, int64_t size) {
  float *a0 = homes[0];
  float *a1 = homes[1];
  float *a2 = homes[2];
  float *a3 = homes[3];
  float *a4 = homes[4];
  float *a5 = homes[5];
  float *a6 = homes[6];
  float *a7 = homes[7];
  _Pragma("GCC ivdep") for (int64_t i = 0; i < size; i++) {
    const float v0 = do_ADD(a0[i], singles[0], 0, 0);
    const float v1 = do_SUB(v0, a1[i], 0, 0);
    const float v2 = do_ABS(v1, 0, 0, 0);
    const float v3 = do_LE(v2, singles[1], 0, 0);
    const float v4 = do_MUL(v1, v1, 0, 0);
    const float v5 = do_MUL(singles[2], v4, 0, 0);
    const float v6 = do_SUB(v2, singles[3], 0, 0);
    const float v7 = do_MUL(singles[1], v6, 0, 0);
    const float v8 = do_SELECT(v3, v7, v5, 0);
    const float v9 = do_MAX(singles[4], v1, 0, 0);
    const float v10 = do_MIN(singles[1], v9, 0, 0);
    const float v11 = do_GT(a2[i], singles[5], 0, 0);
    const float v12 = do_MUL(v8, a2[i], 0, 0);
    const float v13 = do_SELECT(v11, a3[i], v12, 0);
    const float v14 = do_SELECT(v11, a4[i], a5[i], 0);
    const float v15 = do_MUL(v14, a2[i], 0, 0);
    const float v16 = do_MUL(v10, v15, 0, 0);
    a6[i] = v13;
    a7[i] = v16;
  }
}

static const int64_t text_huber_scored[] = {
    4, 2, 5, 3, 12, 0, 4, 0, 6, 0, 6, 1, 11, 4, 1, 4, 1, 13, 12, 11, 11, 11, 11, 9,
    13, 12, 7, 12, 7, 2, 11, 11, 11, 11, 11, 45, 11, 8, 11, 8, 11, 1, 12, 12, 9, 12, 9, 45,
    12, 7, 12, 7, 12, 17, 13, 13, 12, 11, 13, 6, 12, 2, 10, 2, 10, 2, 13, 13, 2, 13, 2, 17,
    5, 12, 3, 13, 12,
};

WIDE static void run_huber_scored(float *const *homes, const float *singles, int64_t size) {
  float *a0 = homes[0];
  float *a1 = homes[1];
  float *a2 = homes[2];
  float *a3 = homes[3];
  float *a4 = homes[4];
  float *a5 = homes[5];
  _Pragma("GCC ivdep") for (int64_t i = 0; i < size; i++) {
    const float v0 = do_ADD(a0[i], singles[0], 0, 0);
    const float v1 = do_SUB(v0, a1[i], 0, 0);
    const float v2 = do_ABS(v1, 0, 0, 0);
    const float v3 = do_LE(v2, singles[1], 0, 0);
    const float v4 = do_MUL(v1, v1, 0, 0);
    const float v5 = do_MUL(singles[2], v4, 0, 0);
    const float v6 = do_SUB(v2, singles[3], 0, 0);
    const float v7 = do_MUL(singles[1], v6, 0, 0);
    const float v8 = do_SELECT(v3, v7, v5, 0);
    const float v9 = do_GT(a2[i], singles[4], 0, 0);
    const float v10 = do_MUL(v8, a2[i], 0, 0);
    const float v11 = do_SELECT(v9, a3[i], v10, 0);
    a4[i] = v0;
    a5[i] = v11;
  }
}

static const int64_t text_log_cosh[] = {
    2, 2, 9, 7, 34, 1, 13, 0, 1, 0, 1, 13, 14, 13, 13, 13, 13, 5, 15, 14, 4, 14, 4, 3,
    16, 15, 4, 15, 4, 2, 16, 16, 16, 16, 16, 2, 17, 16, 5, 16, 5, 19, 17, 17, 6, 6, 17, 2,
    18, 16, 7, 16, 7, 19, 18, 18, 17, 6, 18, 2, 17, 16, 8, 16, 8, 19, 18, 17, 18, 6, 17, 2,
    17, 16, 9, 16, 9, 19, 18, 17, 18, 6, 17, 2, 17, 16, 10, 16, 10, 19, 18, 17, 18, 6, 17, 45,
    17, 11, 15, 11, 15, 23, 17, 17, 17, 17, 17, 45, 19, 11, 14, 11, 14, 23, 19, 19, 19, 19, 19, 1,
    19, 19, 17, 19, 17, 0, 17, 6, 17, 6, 17, 3, 19, 19, 17, 19, 17, 26, 19, 19, 19, 19, 19, 1,
    15, 14, 15, 14, 15, 45, 16, 4, 16, 4, 16, 2, 18, 18, 18, 18, 18, 2, 18, 16, 18, 16, 18, 26,
    18, 18, 18, 18, 18, 0, 19, 18, 19, 18, 19, 0, 15, 15, 19, 15, 19, 28, 13, 13, 13, 13, 13, 2,
    2, 15, 12, 15, 12, 45, 15, 6, 12, 6, 12, 2, 3, 13, 15, 13, 15,
};

WIDE static void run_log_cosh(float *const *homes, const float *singles, int64_t size) {
  float *a0 = homes[0];
  float *a1 = homes[1];
  float *a2 = homes[2];
  float *a3 = homes[3];
  _Pragma("GCC ivdep") for (int64_t i = 0; i < size; i++) {
    const float v0 = do_SUB(a0[i], a1[i], 0, 0);
    const float v1 = do_ABS(v0, 0, 0, 0);
    const float v2 = do_MIN(v1, singles[0], 0, 0);
    const float v3 = do_DIV(v2, singles[0], 0, 0);
    const float v4 = do_MUL(v3, v3, 0, 0);
    const float v5 = do_MUL(v4, singles[1], 0, 0);
    const float v6 = do_MUL_ADD(v5, singles[2], singles[2], 0);
    const float v7 = do_MUL(v4, singles[3], 0, 0);
    const float v8 = do_MUL_ADD(v7, v6, singles[2], 0);
    const float v9 = do_MUL(v4, singles[4], 0, 0);
    const float v10 = do_MUL_ADD(v9, v8, singles[2], 0);
    const float v11 = do_MUL(v4, singles[5], 0, 0);
    const float v12 = do_MUL_ADD(v11, v10, singles[2], 0);
    const float v13 = do_MUL(v4, singles[6], 0, 0);
    const float v14 = do_MUL_ADD(v13, v12, singles[2], 0);
    const float v15 = do_MUL(singles[7], v2, 0, 0);
    const float v16 = do_EXP(v15, 0, 0, 0);
    const float v17 = do_MUL(singles[7], v1, 0, 0);
    const float v18 = do_EXP(v17, 0, 0, 0);
    const float v19 = do_SUB(v18, v16, 0, 0);
    const float v20 = do_ADD(singles[2], v16, 0, 0);
    const float v21 = do_DIV(v19, v20, 0, 0);
    const float v22 = do_LOG1P(v21, 0, 0, 0);
    const float v23 = do_SUB(v1, v2, 0, 0);
    const float v24 = do_MUL(singles[0], v4, 0, 0);
    const float v25 = do_MUL(v14, v14, 0, 0);
    const float v26 = do_MUL(v24, v25, 0, 0);
    const float v27 = do_LOG1P(v26, 0, 0, 0);
    const float v28 = do_ADD(v27, v22, 0, 0);
    const float v29 = do_ADD(v23, v28, 0, 0);
    const float v30 = do_TANH(v0, 0, 0, 0);
    const float v31 = do_MUL(v29, singles[8], 0, 0);
    const float v32 = do_MUL(singles[2], singles[8], 0, 0);
    const float v33 = do_MUL(v30, v32, 0, 0);
    a2[i] = v31;
    a3[i] = v33;
  }
}

static const int64_t text_modified_huber[] = {
    2, 2, 6, 7, 28, 45, 10, 4, 0, 4, 0, 1, 10, 10, 5, 10, 5, 2, 11, 10, 1, 10, 1, 1,
    11, 5, 11, 5, 11, 4, 12, 6, 11, 6, 11, 10, 13, 11, 12, 11, 12, 17, 13, 13, 7, 5, 13, 10,
    14, 6, 12, 6, 12, 17, 14, 14, 5, 4, 14, 3, 14, 13, 14, 13, 14, 5, 13, 8, 12, 8, 12, 10,
    12, 12, 13, 12, 13, 17, 12, 12, 7, 5, 12, 10, 15, 8, 13, 8, 13, 17, 15, 15, 5, 4, 15, 3,
    15, 12, 15, 12, 15, 45, 11, 4, 11, 4, 11, 1, 11, 11, 13, 11, 13, 2, 12, 13, 11, 13, 11, 2,
    2, 12, 9, 12, 9, 45, 12, 5, 9, 5, 9, 2, 13, 13, 12, 13, 12, 14, 16, 13, 13, 13, 13, 19,
    12, 12, 11, 16, 12, 2, 15, 12, 15, 12, 15, 18, 15, 4, 13, 15, 14, 14, 15, 15, 15, 15, 15, 2,
    3, 10, 15, 10, 15,
};

WIDE static void run_modified_huber(float *const *homes, const float *singles, int64_t size) {
  float *a0 = homes[0];
  float *a1 = homes[1];
  float *a2 = homes[2];
  float *a3 = homes[3];
  _Pragma("GCC ivdep") for (int64_t i = 0; i < size; i++) {
    const float v0 = do_MUL(singles[0], a0[i], 0, 0);
    const float v1 = do_SUB(v0, singles[1], 0, 0);
    const float v2 = do_MUL(v1, a1[i], 0, 0);
    const float v3 = do_SUB(singles[1], v2, 0, 0);
    const float v4 = do_MAX(singles[2], v3, 0, 0);
    const float v5 = do_EQ(v3, v4, 0, 0);
    const float v6 = do_SELECT(v5, singles[3], singles[1], 0);
    const float v7 = do_EQ(singles[2], v4, 0, 0);
    const float v8 = do_SELECT(v7, singles[1], singles[0], 0);
    const float v9 = do_DIV(v6, v8, 0, 0);
    const float v10 = do_MIN(singles[4], v4, 0, 0);
    const float v11 = do_EQ(v4, v10, 0, 0);
    const float v12 = do_SELECT(v11, singles[3], singles[1], 0);
    const float v13 = do_EQ(singles[4], v10, 0, 0);
    const float v14 = do_SELECT(v13, singles[1], singles[0], 0);
    const float v15 = do_DIV(v12, v14, 0, 0);
    const float v16 = do_MUL(singles[0], v3, 0, 0);
    const float v17 = do_SUB(v16, v10, 0, 0);
    const float v18 = do_MUL(v10, v17, 0, 0);
    const float v19 = do_MUL(v18, singles[5], 0, 0);
    const float v20 = do_MUL(singles[1], singles[5], 0, 0);
    const float v21 = do_MUL(v10, v20, 0, 0);
    const float v22 = do_NEG(v21, 0, 0, 0);
    const float v23 = do_MUL_ADD(v20, v17, v22, 0);
    const float v24 = do_MUL(v23, v15, 0, 0);
    const float v25 = do_MIX(singles[0], v21, v24, v9);
    const float v26 = do_NEG(v25, 0, 0, 0);
    const float v27 = do_MUL(v1, v26, 0, 0);
    a2[i] = v19;
    a3[i] = v27;
  }
}

static const int64_t text_perceptron[] = {
    2, 2, 6, 3, 11, 45, 10, 4, 0, 4, 0, 1, 10, 5, 10, 5, 10, 2, 11, 10, 1, 10, 1, 7,
    12, 11, 6, 11, 6, 17, 12, 12, 11, 7, 12, 15, 11, 11, 11, 11, 11, 47, 11, 8, 11, 8, 8, 2,
    2, 12, 9, 12, 9, 45, 12, 5, 9, 5, 9, 2, 12, 11, 12, 11, 12, 2, 3, 10, 12, 10, 12,
};

WIDE static void run_perceptron(float *const *homes, const float *singles, int64_t size) {
  float *a0 = homes[0];
  float *a1 = homes[1];
  float *a2 = homes[2];
  float *a3 = homes[3];
  _Pragma("GCC ivdep") for (int64_t i = 0; i < size; i++) {
    const float v0 = do_MUL(singles[0], a0[i], 0, 0);
    const float v1 = do_SUB(singles[1], v0, 0, 0);
    const float v2 = do_MUL(v1, a1[i], 0, 0);
    const float v3 = do_LT(v2, singles[2], 0, 0);
    const float v4 = do_SELECT(v3, v2, singles[3], 0);
    const float v5 = do_SIGN(v2, 0, 0, 0);
    const float v6 = do_MUL_ADD(singles[4], v5, singles[4], 0);
    const float v7 = do_MUL(v4, singles[5], 0, 0);
    const float v8 = do_MUL(singles[1], singles[5], 0, 0);
    const float v9 = do_MUL(v6, v8, 0, 0);
    const float v10 = do_MUL(v1, v9, 0, 0);
    a2[i] = v7;
    a3[i] = v10;
  }
}

static const int64_t text_poisson[] = {
    2, 2, 2, 3, 7, 23, 6, 0, 0, 0, 0, 2, 7, 1, 0, 1, 0, 1, 7, 6, 7, 6, 7, 2,
    2, 7, 4, 7, 4, 45, 7, 5, 4, 5, 4, 14, 8, 7, 7, 7, 7, 18, 3, 1, 8, 7, 6,
};

WIDE static void run_poisson(float *const *homes, const float *singles, int64_t size) {
  float *a0 = homes[0];
  float *a1 = homes[1];
  float *a2 = homes[2];
  float *a3 = homes[3];
  _Pragma("GCC ivdep") for (int64_t i = 0; i < size; i++) {
    const float v0 = do_EXP(a0[i], 0, 0, 0);
    const float v1 = do_MUL(a1[i], a0[i], 0, 0);
    const float v2 = do_SUB(v0, v1, 0, 0);
    const float v3 = do_MUL(v2, singles[0], 0, 0);
    const float v4 = do_MUL(singles[1], singles[0], 0, 0);
    const float v5 = do_NEG(v4, 0, 0, 0);
    const float v6 = do_MIX(a1[i], v5, v4, v0);
    a2[i] = v3;
    a3[i] = v6;
  }
}

static const int64_t text_quantile[] = {
    2, 2, 6, 5, 18, 1, 10, 0, 1, 0, 1, 45, 11, 4, 10, 4, 10, 45, 10, 5, 10, 5, 10, 4,
    12, 11, 10, 11, 10, 10, 11, 11, 12, 11, 12, 17, 13, 11, 6, 7, 11, 10, 10, 10, 12, 10, 12, 17,
    14, 10, 7, 8, 10, 3, 14, 13, 14, 13, 14, 17, 10, 10, 6, 7, 10, 17, 11, 11, 7, 8, 11, 3,
    11, 10, 11, 10, 11, 2, 2, 12, 9, 12, 9, 45, 12, 7, 9, 7, 9, 2, 11, 12, 11, 12, 11, 2,
    14, 12, 14, 12, 14, 46, 14, 5, 11, 4, 14, 14, 3, 14, 14, 14, 14,
};

WIDE static void run_quantile(float *const *homes, const float *singles, int64_t size) {
  float *a0 = homes[0];
  float *a1 = homes[1];
  float *a2 = homes[2];
  float *a3 = homes[3];
  _Pragma("GCC ivdep") for (int64_t i = 0; i < size; i++) {
    const float v0 = do_SUB(a0[i], a1[i], 0, 0);
    const float v1 = do_MUL(singles[0], v0, 0, 0);
    const float v2 = do_MUL(singles[1], v0, 0, 0);
    const float v3 = do_MAX(v1, v2, 0, 0);
    const float v4 = do_EQ(v1, v3, 0, 0);
    const float v5 = do_SELECT(v4, singles[2], singles[3], 0);
    const float v6 = do_EQ(v2, v3, 0, 0);
    const float v7 = do_SELECT(v6, singles[3], singles[4], 0);
    const float v8 = do_DIV(v5, v7, 0, 0);
    const float v9 = do_SELECT(v6, singles[2], singles[3], 0);
    const float v10 = do_SELECT(v4, singles[3], singles[4], 0);
    const float v11 = do_DIV(v9, v10, 0, 0);
    const float v12 = do_MUL(v3, singles[5], 0, 0);
    const float v13 = do_MUL(singles[3], singles[5], 0, 0);
    const float v14 = do_MUL(v13, v11, 0, 0);
    const float v15 = do_MUL(v13, v8, 0, 0);
    const float v16 = do_MIX(singles[1], v14, singles[0], v15);
    const float v17 = do_NEG(v16, 0, 0, 0);
    a2[i] = v12;
    a3[i] = v17;
  }
}

static const int64_t text_smooth_l1[] = {
    2, 2, 6, 4, 15, 1, 10, 0, 1, 0, 1, 13, 11, 10, 10, 10, 10, 9, 12, 11, 4, 11, 4, 2,
    13, 10, 10, 10, 10, 45, 13, 5, 13, 5, 13, 1, 11, 11, 6, 11, 6, 45, 11, 4, 11, 4, 11, 17,
    13, 12, 11, 13, 12, 4, 10, 7, 10, 7, 10, 5, 10, 4, 10, 4, 10, 3, 13, 13, 4, 13, 4, 2,
    2, 13, 8, 13, 8, 45, 13, 9, 8, 9, 8, 3, 13, 13, 4, 13, 4, 2, 3, 10, 13, 10, 13,
};

WIDE static void run_smooth_l1(float *const *homes, const float *singles, int64_t size) {
  float *a0 = homes[0];
  float *a1 = homes[1];
  float *a2 = homes[2];
  float *a3 = homes[3];
  _Pragma("GCC ivdep") for (int64_t i = 0; i < size; i++) {
    const float v0 = do_SUB(a0[i], a1[i], 0, 0);
    const float v1 = do_ABS(v0, 0, 0, 0);
    const float v2 = do_LE(v1, singles[0], 0, 0);
    const float v3 = do_MUL(v0, v0, 0, 0);
    const float v4 = do_MUL(singles[1], v3, 0, 0);
    const float v5 = do_SUB(v1, singles[2], 0, 0);
    const float v6 = do_MUL(singles[0], v5, 0, 0);
    const float v7 = do_SELECT(v2, v6, v4, 0);
    const float v8 = do_MAX(singles[3], v0, 0, 0);
    const float v9 = do_MIN(singles[0], v8, 0, 0);
    const float v10 = do_DIV(v7, singles[0], 0, 0);
    const float v11 = do_MUL(v10, singles[4], 0, 0);
    const float v12 = do_MUL(singles[5], singles[4], 0, 0);
    const float v13 = do_DIV(v12, singles[0], 0, 0);
    const float v14 = do_MUL(v9, v13, 0, 0);
    a2[i] = v11;
    a3[i] = v14;
  }
}

static const int64_t text_squared_epsilon_insensitive[] = {
    2, 2, 7, 8, 42, 14, 11, 0, 0, 0, 0, 0, 12, 1, 11, 1, 11, 1, 13, 12, 1, 12, 1, 1,
    14, 12, 13, 12, 13, 1, 14, 1, 14, 1, 14, 1, 13, 11, 13, 11, 13, 0, 14, 14, 13, 14, 13, 14,
    13, 12, 12, 12, 12, 4, 11, 12, 13, 12, 13, 10, 15, 12, 11, 12, 11, 17, 16, 15, 4, 5, 15, 10,
    13, 13, 11, 13, 11, 17, 17, 13, 5, 6, 13, 3, 17, 16, 17, 16, 17, 17, 13, 13, 4, 5, 13, 17,
    15, 15, 5, 6, 15, 3, 15, 13, 15, 13, 15, 6, 12, 12, 4, 12, 4, 14, 13, 14, 14, 14, 14, 17,
    14, 12, 13, 14, 12, 14, 13, 7, 7, 7, 7, 0, 12, 11, 13, 11, 13, 1, 16, 12, 11, 12, 11, 1,
    18, 12, 16, 12, 16, 1, 11, 11, 18, 11, 18, 1, 13, 13, 16, 13, 16, 0, 13, 11, 13, 11, 13, 0,
    14, 14, 13, 14, 13, 0, 14, 12, 14, 12, 14, 7, 12, 14, 4, 14, 4, 17, 12, 12, 14, 8, 12, 15,
    14, 14, 14, 14, 14, 47, 14, 9, 14, 9, 9, 2, 13, 12, 12, 12, 12, 45, 12, 6, 12, 6, 12, 2,
    2, 13, 10, 13, 10, 45, 13, 5, 10, 5, 10, 2, 13, 13, 12, 13, 12, 2, 14, 14, 13, 14, 13, 2,
    15, 14, 15, 14, 15, 14, 15, 15, 15, 15, 15, 19, 3, 14, 17, 15, 14,
};

WIDE static void run_squared_epsilon_insensitive(float *const *homes, const float *singles, int64_t size) {
  float *a0 = homes[0];
  float *a1 = homes[1];
  float *a2 = homes[2];
  float *a3 = homes[3];
  _Pragma("GCC ivdep") for (int64_t i = 0; i < size; i++) {
    const float v0 = do_NEG(a0[i], 0, 0, 0);
    const float v1 = do_ADD(a1[i], v0, 0, 0);
    const float v2 = do_SUB(v1, a1[i], 0, 0);
    const float v3 = do_SUB(v1, v2, 0, 0);
    const float v4 = do_SUB(a1[i], v3, 0, 0);
    const float v5 = do_SUB(v0, v2, 0, 0);
    const float v6 = do_ADD(v4, v5, 0, 0);
    const float v7 = do_NEG(v1, 0, 0, 0);
    const float v8 = do_MAX(v1, v7, 0, 0);
    const float v9 = do_EQ(v1, v8, 0, 0);
    const float v10 = do_SELECT(v9, singles[0], singles[1], 0);
    const float v11 = do_EQ(v7, v8, 0, 0);
    const float v12 = do_SELECT(v11, singles[1], singles[2], 0);
    const float v13 = do_DIV(v10, v12, 0, 0);
    const float v14 = do_SELECT(v11, singles[0], singles[1], 0);
    const float v15 = do_SELECT(v9, singles[1], singles[2], 0);
    const float v16 = do_DIV(v14, v15, 0, 0);
    const float v17 = do_GT(v1, singles[0], 0, 0);
    const float v18 = do_NEG(v6, 0, 0, 0);
    const float v19 = do_SELECT(v17, v18, v6, 0);
    const float v20 = do_NEG(singles[3], 0, 0, 0);
    const float v21 = do_ADD(v8, v20, 0, 0);
    const float v22 = do_SUB(v21, v8, 0, 0);
    const float v23 = do_SUB(v21, v22, 0, 0);
    const float v24 = do_SUB(v8, v23, 0, 0);
    const float v25 = do_SUB(v20, v22, 0, 0);
    const float v26 = do_ADD(v24, v25, 0, 0);
    const float v27 = do_ADD(v19, v26, 0, 0);
    const float v28 = do_ADD(v21, v27, 0, 0);
    const float v29 = do_LT(v28, singles[0], 0, 0);
    const float v30 = do_SELECT(v29, v28, singles[4], 0);
    const float v31 = do_SIGN(v28, 0, 0, 0);
    const float v32 = do_MUL_ADD(singles[5], v31, singles[5], 0);
    const float v33 = do_MUL(v30, v30, 0, 0);
    const float v34 = do_MUL(singles[2], v30, 0, 0);
    const float v35 = do_MUL(v33, singles[6], 0, 0);
    const float v36 = do_MUL(singles[1], singles[6], 0, 0);
    const float v37 = do_MUL(v36, v34, 0, 0);
    const float v38 = do_MUL(v32, v37, 0, 0);
    const float v39 = do_MUL(v38, v16, 0, 0);
    const float v40 = do_NEG(v39, 0, 0, 0);
    const float v41 = do_MUL_ADD(v38, v13, v40, 0);
    a2[i] = v35;
    a3[i] = v41;
  }
}

static const int64_t text_squared_error[] = {
    2, 2, 3, 2, 6, 1, 7, 0, 1, 0, 1, 2, 8, 7, 7, 7, 7, 45, 7, 4, 7, 4, 7, 2,
    2, 8, 5, 8, 5, 45, 8, 6, 5, 6, 5, 2, 3, 8, 7, 8, 7,
};

WIDE static void run_squared_error(float *const *homes, const float *singles, int64_t size) {
  float *a0 = homes[0];
  float *a1 = homes[1];
  float *a2 = homes[2];
  float *a3 = homes[3];
  _Pragma("GCC ivdep") for (int64_t i = 0; i < size; i++) {
    const float v0 = do_SUB(a0[i], a1[i], 0, 0);
    const float v1 = do_MUL(v0, v0, 0, 0);
    const float v2 = do_MUL(singles[0], v0, 0, 0);
    const float v3 = do_MUL(v1, singles[1], 0, 0);
    const float v4 = do_MUL(singles[2], singles[1], 0, 0);
    const float v5 = do_MUL(v4, v2, 0, 0);
    a2[i] = v3;
    a3[i] = v5;
  }
}

static const int64_t text_squared_error_learned[] = {
    6, 2, 3, 3, 10, 0, 11, 0, 8, 0, 8, 1, 11, 11, 1, 11, 1, 2, 12, 11, 11, 11, 11, 45,
    11, 9, 11, 9, 11, 6, 13, 2, 10, 2, 10, 2, 12, 12, 2, 12, 2, 17, 6, 13, 3, 12, 13, 17,
    13, 13, 4, 5, 13, 2, 13, 13, 2, 13, 2, 2, 7, 13, 11, 13, 11,
};

WIDE static void run_squared_error_learned(float *const *homes, const float *singles, int64_t size) {
  float *a0 = homes[0];
  float *a1 = homes[1];
  float *a2 = homes[2];
  float *a3 = homes[3];
  float *a4 = homes[4];
  float *a5 = homes[5];
  float *a6 = homes[6];
  float *a7 = homes[7];
  _Pragma("GCC ivdep") for (int64_t i = 0; i < size; i++) {
    const float v0 = do_ADD(a0[i], singles[0], 0, 0);
    const float v1 = do_SUB(v0, a1[i], 0, 0);
    const float v2 = do_MUL(v1, v1, 0, 0);
    const float v3 = do_MUL(singles[1], v1, 0, 0);
    const float v4 = do_GT(a2[i], singles[2], 0, 0);
    const float v5 = do_MUL(v2, a2[i], 0, 0);
    const float v6 = do_SELECT(v4, a3[i], v5, 0);
    const float v7 = do_SELECT(v4, a4[i], a5[i], 0);
    const float v8 = do_MUL(v7, a2[i], 0, 0);
    const float v9 = do_MUL(v8, v3, 0, 0);
    a6[i] = v6;
    a7[i] = v9;
  }
}

static const int64_t text_squared_error_scored[] = {
    4, 2, 2, 2, 6, 0, 4, 0, 6, 0, 6, 1, 8, 4, 1, 4, 1, 2, 8, 8, 8, 8, 8, 6,
    9, 2, 7, 2, 7, 2, 8, 8, 2, 8, 2, 17, 5, 9, 3, 8, 9,
};

WIDE static void run_squared_error_scored(float *const *homes, const float *singles, int64_t size) {
  float *a0 = homes[0];
  float *a1 = homes[1];
  float *a2 = homes[2];
  float *a3 = homes[3];
  float *a4 = homes[4];
  float *a5 = homes[5];
  _Pragma("GCC ivdep") for (int64_t i = 0; i < size; i++) {
    const float v0 = do_ADD(a0[i], singles[0], 0, 0);
    const float v1 = do_SUB(v0, a1[i], 0, 0);
    const float v2 = do_MUL(v1, v1, 0, 0);
    const float v3 = do_GT(a2[i], singles[1], 0, 0);
    const float v4 = do_MUL(v2, a2[i], 0, 0);
    const float v5 = do_SELECT(v3, a3[i], v4, 0);
    a4[i] = v0;
    a5[i] = v5;
  }
}

static const int64_t text_squared_hinge[] = {
    2, 2, 6, 4, 16, 45, 10, 4, 0, 4, 0, 1, 10, 10, 5, 10, 5, 2, 11, 10, 1, 10, 1, 1,
    11, 5, 11, 5, 11, 7, 12, 11, 6, 11, 6, 17, 12, 12, 11, 7, 12, 15, 11, 11, 11, 11, 11, 47,
    11, 8, 11, 8, 8, 2, 13, 12, 12, 12, 12, 45, 12, 4, 12, 4, 12, 2, 2, 13, 9, 13, 9, 45,
    13, 5, 9, 5, 9, 2, 13, 13, 12, 13, 12, 2, 13, 11, 13, 11, 13, 14, 13, 13, 13, 13, 13, 2,
    3, 10, 13, 10, 13,
};

WIDE static void run_squared_hinge(float *const *homes, const float *singles, int64_t size) {
  float *a0 = homes[0];
  float *a1 = homes[1];
  float *a2 = homes[2];
  float *a3 = homes[3];
  _Pragma("GCC ivdep") for (int64_t i = 0; i < size; i++) {
    const float v0 = do_MUL(singles[0], a0[i], 0, 0);
    const float v1 = do_SUB(v0, singles[1], 0, 0);
    const float v2 = do_MUL(v1, a1[i], 0, 0);
    const float v3 = do_SUB(singles[1], v2, 0, 0);
    const float v4 = do_LT(v3, singles[2], 0, 0);
    const float v5 = do_SELECT(v4, v3, singles[3], 0);
    const float v6 = do_SIGN(v3, 0, 0, 0);
    const float v7 = do_MUL_ADD(singles[4], v6, singles[4], 0);
    const float v8 = do_MUL(v5, v5, 0, 0);
    const float v9 = do_MUL(singles[0], v5, 0, 0);
    const float v10 = do_MUL(v8, singles[5], 0, 0);
    const float v11 = do_MUL(singles[1], singles[5], 0, 0);
    const float v12 = do_MUL(v11, v9, 0, 0);
    const float v13 = do_MUL(v7, v12, 0, 0);
    const float v14 = do_NEG(v13, 0, 0, 0);
    const float v15 = do_MUL(v1, v14, 0, 0);
    a2[i] = v10;
    a3[i] = v15;
  }
}

static const int64_t text_squared_logarithmic_error[] = {
    2, 2, 17, 12, 74, 4, 21, 0, 4, 0, 4, 4, 22, 21, 5, 21, 5, 5, 21, 21, 5, 21, 5, 0,
    23, 22, 21, 22, 21, 1, 22, 23, 22, 23, 22, 1, 22, 21, 22, 21, 22, 4, 21, 1, 5, 1, 5, 5,
    24, 1, 5, 1, 5, 0, 25, 21, 24, 21, 24, 1, 21, 25, 21, 25, 21, 1, 21, 24, 21, 24, 21, 36,
    24, 23, 25, 23, 25, 35, 24, 24, 6, 24, 6, 41, 24, 24, 7, 24, 7, 42, 26, 24, 24, 24, 24, 40,
    24, 24, 7, 24, 7, 35, 24, 24, 5, 24, 5, 14, 21, 21, 21, 21, 21, 2, 21, 21, 24, 21, 24, 0,
    27, 22, 21, 22, 21, 1, 28, 27, 22, 27, 22, 1, 29, 27, 28, 27, 28, 1, 29, 22, 29, 22, 29, 1,
    21, 21, 28, 21, 28, 0, 29, 29, 21, 29, 21, 2, 25, 25, 24, 25, 24, 1, 25, 23, 25, 23, 25, 0,
    24, 25, 27, 25, 27, 1, 25, 24, 25, 24, 25, 1, 27, 27, 25, 27, 25, 0, 29, 27, 29, 27, 29, 45,
    27, 8, 24, 8, 24, 0, 25, 23, 27, 23, 27, 1, 23, 25, 23, 25, 23, 1, 23, 27, 23, 27, 23, 45,
    27, 9, 29, 9, 29, 1, 22, 22, 27, 22, 27, 0, 23, 23, 22, 23, 22, 3, 22, 5, 25, 5, 25, 2,
    22, 24, 22, 24, 22, 2, 27, 26, 10, 26, 10, 2, 26, 26, 11, 26, 11, 39, 21, 25, 12, 25, 12, 1,
    28, 25, 21, 25, 21, 2, 21, 27, 21, 27, 21, 0, 30, 21, 24, 21, 24, 1, 21, 30, 21, 30, 21, 1,
    21, 24, 21, 24, 21, 2, 31, 22, 22, 22, 22, 0, 32, 13, 14, 13, 14, 19, 32, 31, 32, 15, 31, 19,
    32, 31, 32, 16, 31, 19, 32, 31, 32, 17, 31, 2, 31, 31, 32, 31, 32, 18, 28, 27, 28, 26, 25, 19,
    31, 24, 31, 28, 24, 2, 23, 22, 23, 22, 23, 1, 23, 29, 23, 29, 23, 0, 23, 21, 23, 21, 23, 0,
    31, 31, 23, 31, 23, 0, 31, 30, 31, 30, 31, 3, 31, 31, 25, 31, 25, 1, 25, 4, 0, 4, 0, 4,
    25, 25, 14, 25, 14, 1, 31, 31, 25, 31, 25, 7, 25, 0, 4, 0, 4, 0, 30, 5, 0, 5, 0, 17,
    30, 25, 30, 18, 25, 2, 25, 31, 31, 31, 31, 45, 31, 19, 31, 19, 31, 2, 2, 25, 20, 25, 20, 45,
    25, 5, 20, 5, 20, 2, 31, 25, 31, 25, 31, 3, 3, 31, 30, 31, 30,
};

WIDE static void run_squared_logarithmic_error(float *const *homes, const float *singles, int64_t size) {
  float *a0 = homes[0];
  float *a1 = homes[1];
  float *a2 = homes[2];
  float *a3 = homes[3];
  _Pragma("GCC ivdep") for (int64_t i = 0; i < size; i++) {
    const float v0 = do_MAX(a0[i], singles[0], 0, 0);
    const float v1 = do_MAX(v0, singles[1], 0, 0);
    const float v2 = do_MIN(v0, singles[1], 0, 0);
    const float v3 = do_ADD(v1, v2, 0, 0);
    const float v4 = do_SUB(v3, v1, 0, 0);
    const float v5 = do_SUB(v2, v4, 0, 0);
    const float v6 = do_MAX(a1[i], singles[1], 0, 0);
    const float v7 = do_MIN(a1[i], singles[1], 0, 0);
    const float v8 = do_ADD(v6, v7, 0, 0);
    const float v9 = do_SUB(v8, v6, 0, 0);
    const float v10 = do_SUB(v7, v9, 0, 0);
    const float v11 = do_WHOLE_SUB(v3, v8, 0, 0);
    const float v12 = do_WHOLE_ADD(v11, singles[2], 0, 0);
    const float v13 = do_WHOLE_RIGHT(v12, singles[3], 0, 0);
    const float v14 = do_FROM_WHOLE(v13, 0, 0, 0);
    const float v15 = do_WHOLE_LEFT(v13, singles[3], 0, 0);
    const float v16 = do_WHOLE_ADD(v15, singles[1], 0, 0);
    const float v17 = do_NEG(v10, 0, 0, 0);
    const float v18 = do_MUL(v17, v16, 0, 0);
    const float v19 = do_ADD(v5, v18, 0, 0);
    const float v20 = do_SUB(v19, v5, 0, 0);
    const float v21 = do_SUB(v19, v20, 0, 0);
    const float v22 = do_SUB(v5, v21, 0, 0);
    const float v23 = do_SUB(v18, v20, 0, 0);
    const float v24 = do_ADD(v22, v23, 0, 0);
    const float v25 = do_MUL(v8, v16, 0, 0);
    const float v26 = do_SUB(v3, v25, 0, 0);
    const float v27 = do_ADD(v26, v19, 0, 0);
    const float v28 = do_SUB(v27, v26, 0, 0);
    const float v29 = do_SUB(v19, v28, 0, 0);
    const float v30 = do_ADD(v29, v24, 0, 0);
    const float v31 = do_MUL(singles[4], v27, 0, 0);
    const float v32 = do_ADD(v3, v31, 0, 0);
    const float v33 = do_SUB(v32, v3, 0, 0);
    const float v34 = do_SUB(v31, v33, 0, 0);
    const float v35 = do_MUL(singles[5], v30, 0, 0);
    const float v36 = do_SUB(v5, v35, 0, 0);
    const float v37 = do_ADD(v34, v36, 0, 0);
    const float v38 = do_DIV(singles[1], v32, 0, 0);
    const float v39 = do_MUL(v27, v38, 0, 0);
    const float v40 = do_MUL(v14, singles[6], 0, 0);
    const float v41 = do_MUL(v14, singles[7], 0, 0);
    const float v42 = do_WHOLE_AND(v32, singles[8], 0, 0);
    const float v43 = do_SUB(v32, v42, 0, 0);
    const float v44 = do_MUL(v40, v42, 0, 0);
    const float v45 = do_ADD(v44, v27, 0, 0);
    const float v46 = do_SUB(v45, v44, 0, 0);
    const float v47 = do_SUB(v27, v46, 0, 0);
    const float v48 = do_MUL(v39, v39, 0, 0);
    const float v49 = do_ADD(singles[9], singles[10], 0, 0);
    const float v50 = do_MUL_ADD(v48, v49, singles[11], 0);
    const float v51 = do_MUL_ADD(v48, v50, singles[12], 0);
    const float v52 = do_MUL_ADD(v48, v51, singles[13], 0);
    const float v53 = do_MUL(v48, v52, 0, 0);
    const float v54 = do_MIX(v40, v43, v41, v32);
    const float v55 = do_MUL_ADD(v27, v53, v54, 0);
    const float v56 = do_MUL(v39, v37, 0, 0);
    const float v57 = do_SUB(v30, v56, 0, 0);
    const float v58 = do_ADD(v47, v57, 0, 0);
    const float v59 = do_ADD(v55, v58, 0, 0);
    const float v60 = do_ADD(v45, v59, 0, 0);
    const float v61 = do_DIV(v60, v32, 0, 0);
    const float v62 = do_SUB(singles[0], a0[i], 0, 0);
    const float v63 = do_MAX(v62, singles[10], 0, 0);
    const float v64 = do_SUB(v61, v63, 0, 0);
    const float v65 = do_LT(a0[i], singles[0], 0, 0);
    const float v66 = do_ADD(singles[1], a0[i], 0, 0);
    const float v67 = do_SELECT(v65, v66, singles[14], 0);
    const float v68 = do_MUL(v64, v64, 0, 0);
    const float v69 = do_MUL(singles[15], v64, 0, 0);
    const float v70 = do_MUL(v68, singles[16], 0, 0);
    const float v71 = do_MUL(singles[1], singles[16], 0, 0);
    const float v72 = do_MUL(v71, v69, 0, 0);
    const float v73 = do_DIV(v72, v67, 0, 0);
    a2[i] = v70;
    a3[i] = v73;
  }
}

static const int64_t text_tweedie[] = {
    2, 2, 7, 9, 54, 6, 11, 0, 4, 0, 4, 17, 12, 11, 5, 1, 11, 1, 13, 6, 7, 6, 7, 39,
    14, 13, 8, 13, 8, 1, 15, 13, 14, 13, 14, 39, 16, 12, 8, 12, 8, 1, 12, 12, 16, 12, 16, 2,
    17, 14, 16, 14, 16, 18, 14, 14, 12, 15, 16, 19, 15, 15, 12, 14, 15, 0, 14, 17, 15, 17, 15, 1,
    12, 14, 17, 14, 17, 1, 16, 14, 12, 14, 12, 1, 17, 17, 16, 17, 16, 1, 15, 15, 12, 15, 12, 0,
    15, 17, 15, 17, 15, 23, 14, 14, 14, 14, 14, 33, 17, 14, 14, 14, 14, 2, 15, 14, 15, 14, 15, 17,
    15, 17, 5, 15, 17, 0, 15, 14, 15, 14, 15, 1, 14, 9, 7, 9, 7, 39, 17, 14, 8, 14, 8, 1,
    12, 14, 17, 14, 17, 39, 16, 1, 8, 1, 8, 1, 18, 1, 16, 1, 16, 2, 19, 17, 16, 17, 16, 18,
    17, 17, 18, 12, 16, 19, 12, 12, 18, 17, 12, 0, 18, 19, 12, 19, 12, 1, 17, 18, 19, 18, 19, 1,
    16, 18, 17, 18, 17, 1, 19, 19, 16, 19, 16, 1, 12, 12, 17, 12, 17, 0, 12, 19, 12, 19, 12, 23,
    18, 18, 18, 18, 18, 33, 19, 18, 18, 18, 18, 2, 12, 18, 12, 18, 12, 17, 12, 19, 5, 12, 19, 0,
    12, 18, 12, 18, 12, 2, 18, 0, 15, 0, 15, 1, 19, 7, 6, 7, 6, 3, 17, 12, 14, 12, 14, 20,
    18, 18, 19, 17, 18, 2, 2, 18, 10, 18, 10, 45, 18, 6, 10, 6, 10, 3, 17, 18, 14, 18, 14, 3,
    19, 18, 19, 18, 19, 2, 19, 0, 19, 0, 19, 2, 12, 12, 17, 12, 17, 2, 15, 15, 19, 15, 19, 2,
    15, 13, 15, 13, 15, 17, 15, 11, 4, 15, 11, 19, 3, 14, 12, 15, 14,
};

WIDE static void run_tweedie(float *const *homes, const float *singles, int64_t size) {
  float *a0 = homes[0];
  float *a1 = homes[1];
  float *a2 = homes[2];
  float *a3 = homes[3];
  _Pragma("GCC ivdep") for (int64_t i = 0; i < size; i++) {
    const float v0 = do_GT(a0[i], singles[0], 0, 0);
    const float v1 = do_SELECT(v0, singles[1], a1[i], 0);
    const float v2 = do_SUB(singles[2], singles[3], 0, 0);
    const float v3 = do_WHOLE_AND(v2, singles[4], 0, 0);
    const float v4 = do_SUB(v2, v3, 0, 0);
    const float v5 = do_WHOLE_AND(v1, singles[4], 0, 0);
    const float v6 = do_SUB(v1, v5, 0, 0);
    const float v7 = do_MUL(v3, v5, 0, 0);
    const float v8 = do_MIX(v3, v6, v4, v5);
    const float v9 = do_MUL_ADD(v4, v6, v8, 0);
    const float v10 = do_ADD(v7, v9, 0, 0);
    const float v11 = do_SUB(v10, v7, 0, 0);
    const float v12 = do_SUB(v10, v11, 0, 0);
    const float v13 = do_SUB(v7, v12, 0, 0);
    const float v14 = do_SUB(v9, v11, 0, 0);
    const float v15 = do_ADD(v13, v14, 0, 0);
    const float v16 = do_EXP(v10, 0, 0, 0);
    const float v17 = do_FINITE(v16, 0, 0, 0);
    const float v18 = do_MUL(v16, v15, 0, 0);
    const float v19 = do_SELECT(v17, singles[1], v18, 0);
    const float v20 = do_ADD(v16, v19, 0, 0);
    const float v21 = do_SUB(singles[5], singles[3], 0, 0);
    const float v22 = do_WHOLE_AND(v21, singles[4], 0, 0);
    const float v23 = do_SUB(v21, v22, 0, 0);
    const float v24 = do_WHOLE_AND(a1[i], singles[4], 0, 0);
    const float v25 = do_SUB(a1[i], v24, 0, 0);
    const float v26 = do_MUL(v22, v24, 0, 0);
    const float v27 = do_MIX(v22, v25, v23, v24);
    const float v28 = do_MUL_ADD(v23, v25, v27, 0);
    const float v29 = do_ADD(v26, v28, 0, 0);
    const float v30 = do_SUB(v29, v26, 0, 0);
    const float v31 = do_SUB(v29, v30, 0, 0);
    const float v32 = do_SUB(v26, v31, 0, 0);
    const float v33 = do_SUB(v28, v30, 0, 0);
    const float v34 = do_ADD(v32, v33, 0, 0);
    const float v35 = do_EXP(v29, 0, 0, 0);
    const float v36 = do_FINITE(v35, 0, 0, 0);
    const float v37 = do_MUL(v35, v34, 0, 0);
    const float v38 = do_SELECT(v36, singles[1], v37, 0);
    const float v39 = do_ADD(v35, v38, 0, 0);
    const float v40 = do_MUL(a0[i], v20, 0, 0);
    const float v41 = do_SUB(singles[3], singles[2], 0, 0);
    const float v42 = do_DIV(v39, v21, 0, 0);
    const float v43 = do_DIV_ADD(v40, v41, v42, 0);
    const float v44 = do_MUL(v43, singles[6], 0, 0);
    const float v45 = do_MUL(singles[2], singles[6], 0, 0);
    const float v46 = do_DIV(v45, v21, 0, 0);
    const float v47 = do_DIV(v45, v41, 0, 0);
    const float v48 = do_MUL(a0[i], v47, 0, 0);
    const float v49 = do_MUL(v39, v46, 0, 0);
    const float v50 = do_MUL(v20, v48, 0, 0);
    const float v51 = do_MUL(v2, v50, 0, 0);
    const float v52 = do_SELECT(v0, singles[0], v51, 0);
    const float v53 = do_MUL_ADD(v21, v49, v52, 0);
    a2[i] = v44;
    a3[i] = v53;
  }
}

static const int64_t text_adam_step[] = {
    4, 3, 6, 2, 6, 46, 4, 7, 0, 8, 1, 2, 13, 1, 1, 1, 1, 46, 5, 9, 2, 10, 13, 45,
    13, 11, 4, 11, 4, 48, 14, 5, 12, 5, 12, 20, 6, 13, 14, 3, 13,
};

WIDE static void run_adam_step(float *const *homes, const float *singles, int64_t size) {
  float *a0 = homes[0];
  float *a1 = homes[1];
  float *a2 = homes[2];
  float *a3 = homes[3];
  float *a4 = homes[4];
  float *a5 = homes[5];
  float *a6 = homes[6];
  _Pragma("GCC ivdep") for (int64_t i = 0; i < size; i++) {
    const float v0 = do_MIX(singles[0], a0[i], singles[1], a1[i]);
    const float v1 = do_MUL(a1[i], a1[i], 0, 0);
    const float v2 = do_MIX(singles[2], a2[i], singles[3], v1);
    const float v3 = do_MUL(singles[4], v0, 0, 0);
    const float v4 = do_SQRT_ADD(v2, singles[5], 0, 0);
    const float v5 = do_DIV_ADD(v3, v4, a3[i], 0);
    a4[i] = v0;
    a5[i] = v2;
    a6[i] = v5;
  }
}

static const int64_t text_adamw_step[] = {
    4, 3, 7, 2, 7, 46, 4, 7, 0, 8, 1, 2, 14, 1, 1, 1, 1, 46, 5, 9, 2, 10, 14, 45,
    14, 11, 4, 11, 4, 48, 15, 5, 12, 5, 12, 22, 15, 14, 15, 13, 3, 0, 6, 3, 15, 3, 15,
};

WIDE static void run_adamw_step(float *const *homes, const float *singles, int64_t size) {
  float *a0 = homes[0];
  float *a1 = homes[1];
  float *a2 = homes[2];
  float *a3 = homes[3];
  float *a4 = homes[4];
  float *a5 = homes[5];
  float *a6 = homes[6];
  _Pragma("GCC ivdep") for (int64_t i = 0; i < size; i++) {
    const float v0 = do_MIX(singles[0], a0[i], singles[1], a1[i]);
    const float v1 = do_MUL(a1[i], a1[i], 0, 0);
    const float v2 = do_MIX(singles[2], a2[i], singles[3], v1);
    const float v3 = do_MUL(singles[4], v0, 0, 0);
    const float v4 = do_SQRT_ADD(v2, singles[5], 0, 0);
    const float v5 = do_DIV_SUB(v3, v4, singles[6], a3[i]);
    const float v6 = do_ADD(a3[i], v5, 0, 0);
    a4[i] = v0;
    a5[i] = v2;
    a6[i] = v6;
  }
}

static const int64_t text_gradient_descent_step[] = {
    2, 1, 1, 0, 1, 47, 2, 3, 0, 1, 3,
};

WIDE static void run_gradient_descent_step(float *const *homes, const float *singles, int64_t size) {
  float *a0 = homes[0];
  float *a1 = homes[1];
  float *a2 = homes[2];
  _Pragma("GCC ivdep") for (int64_t i = 0; i < size; i++) {
    const float v0 = do_MUL_ADD(singles[0], a0[i], a1[i], 0);
    a2[i] = v0;
  }
}

static const int64_t text_momentum_step[] = {
    3, 2, 2, 0, 2, 47, 3, 5, 0, 1, 5, 47, 4, 6, 3, 2, 6,
};

WIDE static void run_momentum_step(float *const *homes, const float *singles, int64_t size) {
  float *a0 = homes[0];
  float *a1 = homes[1];
  float *a2 = homes[2];
  float *a3 = homes[3];
  float *a4 = homes[4];
  _Pragma("GCC ivdep") for (int64_t i = 0; i < size; i++) {
    const float v0 = do_MUL_ADD(singles[0], a0[i], a1[i], 0);
    const float v1 = do_MUL_ADD(singles[1], v0, a2[i], 0);
    a3[i] = v0;
    a4[i] = v1;
  }
}

static const int64_t text_rmsprop_step[] = {
    3, 2, 4, 2, 5, 2, 9, 0, 0, 0, 0, 46, 3, 5, 1, 6, 9, 48, 9, 3, 7, 3, 7, 45,
    10, 8, 0, 8, 0, 20, 4, 10, 9, 2, 10,
};

WIDE static void run_rmsprop_step(float *const *homes, const float *singles, int64_t size) {
  float *a0 = homes[0];
  float *a1 = homes[1];
  float *a2 = homes[2];
  float *a3 = homes[3];
  float *a4 = homes[4];
  _Pragma("GCC ivdep") for (int64_t i = 0; i < size; i++) {
    const float v0 = do_MUL(a0[i], a0[i], 0, 0);
    const float v1 = do_MIX(singles[0], a1[i], singles[1], v0);
    const float v2 = do_SQRT_ADD(v1, singles[2], 0, 0);
    const float v3 = do_MUL(singles[3], a0[i], 0, 0);
    const float v4 = do_DIV_ADD(v3, v2, a2[i], 0);
    a3[i] = v1;
    a4[i] = v4;
  }
}

static const struct compiled all[] = {
    {text_absolute_error, sizeof text_absolute_error / 8, run_absolute_error},
    {text_absolute_error_learned, sizeof text_absolute_error_learned / 8, run_absolute_error_learned},
    {text_absolute_error_scored, sizeof text_absolute_error_scored / 8, run_absolute_error_scored},
    {text_absolute_percentage_error, sizeof text_absolute_percentage_error / 8, run_absolute_percentage_error},
    {text_binary_cross_entropy, sizeof text_binary_cross_entropy / 8, run_binary_cross_entropy},
    {text_binary_cross_entropy_learned, sizeof text_binary_cross_entropy_learned / 8, run_binary_cross_entropy_learned},
    {text_binary_cross_entropy_scored, sizeof text_binary_cross_entropy_scored / 8, run_binary_cross_entropy_scored},
    {text_binary_focal, sizeof text_binary_focal / 8, run_binary_focal},
    {text_epsilon_insensitive, sizeof text_epsilon_insensitive / 8, run_epsilon_insensitive},
    {text_exponential, sizeof text_exponential / 8, run_exponential},
    {text_gamma, sizeof text_gamma / 8, run_gamma},
    {text_hinge, sizeof text_hinge / 8, run_hinge},
    {text_hinge_learned, sizeof text_hinge_learned / 8, run_hinge_learned},
    {text_hinge_scored, sizeof text_hinge_scored / 8, run_hinge_scored},
    {text_huber, sizeof text_huber / 8, run_huber},
    {text_huber_learned, sizeof text_huber_learned / 8, run_huber_learned},
    {text_huber_scored, sizeof text_huber_scored / 8, run_huber_scored},
    {text_log_cosh, sizeof text_log_cosh / 8, run_log_cosh},
    {text_modified_huber, sizeof text_modified_huber / 8, run_modified_huber},
    {text_perceptron, sizeof text_perceptron / 8, run_perceptron},
    {text_poisson, sizeof text_poisson / 8, run_poisson},
    {text_quantile, sizeof text_quantile / 8, run_quantile},
    {text_smooth_l1, sizeof text_smooth_l1 / 8, run_smooth_l1},
    {text_squared_epsilon_insensitive, sizeof text_squared_epsilon_insensitive / 8, run_squared_epsilon_insensitive},
    {text_squared_error, sizeof text_squared_error / 8, run_squared_error},
    {text_squared_error_learned, sizeof text_squared_error_learned / 8, run_squared_error_learned},
    {text_squared_error_scored, sizeof text_squared_error_scored / 8, run_squared_error_scored},
    {text_squared_hinge, sizeof text_squared_hinge / 8, run_squared_hinge},
    {text_squared_logarithmic_error, sizeof text_squared_logarithmic_error / 8, run_squared_logarithmic_error},
    {text_tweedie, sizeof text_tweedie / 8, run_tweedie},
    {text_adam_step, sizeof text_adam_step / 8, run_adam_step},
    {text_adamw_step, sizeof text_adamw_step / 8, run_adamw_step},
    {text_gradient_descent_step, sizeof text_gradient_descent_step / 8, run_gradient_descent_step},
    {text_momentum_step, sizeof text_momentum_step / 8, run_momentum_step},
    {text_rmsprop_step, sizeof text_rmsprop_step / 8, run_rmsprop_step},
};

const struct compiled *downslope_compiled(const int64_t *text, int64_t length) {
#if !defined(NOTHING_COMPILED) /* that is for a test */
  for (unsigned long at = 0; at < sizeof all / sizeof *all; at++)
    if (all[at].length == length && !memcmp(all[at].text, text, length * sizeof *text)) return all + at;
#endif
  return 0;
}
