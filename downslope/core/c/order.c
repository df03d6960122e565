/* The order of many random numbers of 64 bits: dealt into heaps by their first bits, which are then put in order one by one while
   they are in the cache. */

#include <stdint.h>

enum { NEXT = 9 }; /* bits by which a heap is dealt again, so that hardly anything is left to be moved */

/* How many numbers come into each heap. */
void downslope_count(const uint64_t *numbers, int64_t count, int64_t shift, int64_t *heaps) {
  for (int64_t i = 0; i < count; i++) heaps[numbers[i] >> shift]++;
}

/* Deals numbers into heaps from `place` on; their last bits, `own`, make room for the row that they belong to. */
void downslope_deal(const uint64_t *numbers, int64_t count, int64_t shift, uint64_t own, uint64_t row, int64_t *place, uint64_t *out) {
  for (int64_t i = 0; i < count; i++) out[place[numbers[i] >> shift]++] = (numbers[i] & ~own) | (row + i);
}

/* The rows of the heaps from `heap` to `last` in order. `end` says where each heap ends, `room` is for the largest of them. */
void downslope_put_in_order(const uint64_t *dealt, const int64_t *end, int64_t heap, int64_t last, int64_t shift, uint64_t own,
                            uint64_t *room, uint32_t *out) {
  for (int64_t start = heap ? end[heap - 1] : 0; heap < last; start = end[heap++]) {
    const int64_t count = end[heap] - start;
    const uint64_t *mine = dealt + start;
    int32_t place[(1 << NEXT) + 1] = {0};
#define PART(number) ((number) >> (shift - NEXT) & ((1 << NEXT) - 1))
    for (int64_t i = 0; i < count; i++) place[PART(mine[i]) + 1]++;
    for (int64_t i = 0; i < 1 << NEXT; i++) place[i + 1] += place[i];
    for (int64_t i = 0; i < count; i++) room[place[PART(mine[i])]++] = mine[i];
    for (int64_t i = 1, at; i < count; i++) {
      const uint64_t number = room[i];
      for (at = i; at > 0 && room[at - 1] > number; at--) room[at] = room[at - 1];
      room[at] = number;
    }
    for (int64_t i = 0; i < count; i++) out[start + i] = room[i] & own;
  }
}
