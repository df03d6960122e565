/* Sums over blocks of rows of what a script makes of each, on one core; called by XLA. Blocks are read where they lie, and several
   runs look at one after another while it is in the core's cache. */

#include <string.h>

#include "call.h"
#include "script.h"

enum { ONCE, EACH };

/* Numbers of arguments and results, of parts, of blocks in a part, of memory that the script uses. */
struct counts {
  int64_t fixed, tables, results, parts, blocks, between;
};

/* Arguments: what is fixed for each run, tables that all share, whether a run is alive, the first part. Results: for each run and
   part the sums; memory. Values begin with fixed, tables, what is made of one block. `sizes` are the numbers of what is fixed for a
   run, of a block in each table, and of each result. */
struct call {
  XLA_FFI_CallFrame *frame;
  const struct counts *count;
  const int64_t *script[3], *sizes;
  float **value;
  int64_t runs;
};

static int alive(const struct call *call, int64_t run) {
  const XLA_FFI_Buffer *flags = argument(call->frame, call->count->fixed + call->count->tables);
  return ((char *)flags->data)[numbers(flags) > 1 ? run : 0];
}

/* Lets the values be those of a run. */
static void enter(const struct call *call, int64_t run) {
  for (int64_t i = 0; i < call->count->fixed; i++) {
    const XLA_FFI_Buffer *all = argument(call->frame, i);
    call->value[i] = (float *)all->data + (numbers(all) > call->sizes[i] ? run * call->sizes[i] : 0);
  }
  downslope_carry_out(call->script[ONCE], call->script[ONCE + 1], call->value);
}

static void look_at(const struct call *call, int64_t block) {
  const struct counts *count = call->count;
  for (int64_t i = 0; i < count->tables; i++)
    call->value[count->fixed + i] = (float *)argument(call->frame, count->fixed + i)->data + block * call->sizes[count->fixed + i];
}

/* Adds what was made of a block, or sets the sums to 0. */
static void add(const struct call *call, int64_t run, int64_t part, int begin) {
  const struct counts *count = call->count;
  for (int64_t i = 0; i < count->results; i++) {
    const int64_t place = count->fixed + count->tables + i, size = call->sizes[place];
    float *sum = (float *)result(call->frame, i)->data + (run * count->parts + part) * size;
    if (begin) memset(sum, 0, size * sizeof *sum);
    else
      for (int64_t at = 0; at < size; at++) sum[at] += call->value[place][at];
  }
}

XLA_FFI_Error *downslope_added(XLA_FFI_CallFrame *frame) {
  if (asked(frame)) return 0;
  const XLA_FFI_Array *constants = frame->attrs.attrs[0], *counts = frame->attrs.attrs[1]; /* XLA sorts them by name */
  const XLA_FFI_Array *lengths = frame->attrs.attrs[2], *places = frame->attrs.attrs[3];
  const XLA_FFI_Array *script = frame->attrs.attrs[4], *sizes = frame->attrs.attrs[5];
  const struct counts *count = counts->data;
  const int64_t *where = places->data, slots = count->fixed + count->tables + count->results;
  float *memory = result(frame, count->results)->data, *value[slots + places->size], *rest = memory + count->between;
  struct call call = {.frame = frame, .count = count, .script = {script->data}, .sizes = sizes->data, .value = value};
  for (int i = 0; i < 2; i++) call.script[i + 1] = call.script[i] + ((const int64_t *)lengths->data)[i];
  for (int64_t i = 0; i < (int64_t)places->size; i++)
    value[slots + i] = where[i] < 0 ? (float *)constants->data - 1 - where[i] : memory + where[i];
  for (int64_t i = slots - count->results; i < slots; rest += call.sizes[i++]) value[i] = rest;
  call.runs = numbers(result(frame, 0)) / (count->parts * call.sizes[slots - count->results]);
  const int64_t first = *(int32_t *)argument(frame, count->fixed + count->tables + 1)->data;
  int64_t entered = -1;
  for (int64_t part = 0; part < count->parts; part++) {
    for (int64_t run = 0; run < call.runs; run++) add(&call, run, part, 1);
    for (int64_t block = 0; block < count->blocks; block++) {
      look_at(&call, (first + part) * count->blocks + block);
      for (int64_t run = 0; run < call.runs; run++) {
        if (!alive(&call, run)) continue;
        if (run != entered) enter(&call, entered = run);
        downslope_carry_out(call.script[EACH], call.script[EACH + 1], value);
        add(&call, run, part, 0);
      }
    }
  }
  return 0;
}
