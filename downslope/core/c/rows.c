/* Rows of a table in a new order. Beyond the cache each row must be waited for, unless it was asked for some rows before: into the
   cache's second level, for a core waits for far more lines on their way there than on their way to the first. */

#include <stdint.h>
#include <string.h>

enum { AHEAD = 32, LINE = 64 };

#define ASK(place) __builtin_prefetch(place, 0, 2)
#define TAKE(NUMBER)                                                                                                           \
  static void take_##NUMBER(const char *table, int64_t size, const NUMBER *rows, int64_t count, char *out) {                    \
    for (int64_t row = 0; row < count; row++, out += size) {                                                                   \
      if (row + AHEAD < count) {                                                                                               \
        const char *coming = table + (int64_t)rows[row + AHEAD] * size;                                                        \
        for (int64_t at = 0; at < size; at += LINE) ASK(coming + at);                                                          \
        ASK(coming + size - 1);                                                                                                \
      }                                                                                                                        \
      if (size == 4) memcpy(out, table + (int64_t)rows[row] * 4, 4); /* one instruction, where the next is a call */           \
      else memcpy(out, table + (int64_t)rows[row] * size, size);                                                               \
    }                                                                                                                          \
  }
TAKE(uint8_t)
TAKE(uint16_t)
TAKE(uint32_t)
TAKE(uint64_t)

/* `count` rows of `size` bytes; their numbers have `width` bytes each and no sign, and lie within the table. */
void downslope_take(const char *table, int64_t size, const void *rows, int64_t width, int64_t count, char *out) {
  if (width == 1) take_uint8_t(table, size, rows, count, out);
  if (width == 2) take_uint16_t(table, size, rows, count, out);
  if (width == 4) take_uint32_t(table, size, rows, count, out);
  if (width == 8) take_uint64_t(table, size, rows, count, out);
}
