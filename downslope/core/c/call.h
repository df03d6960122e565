/* What XLA hands to a function, and what it asks of it first. */

#include "xla/ffi/api/c_api.h"

/* A function with a version for each width of the machine's registers, of which the widest is chosen when it runs. */
#if defined(__x86_64__) && defined(__linux__) && !defined(__clang__) && !defined(ONE_WIDTH) /* that is for a test */
#define WIDE __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#else
#define WIDE
#endif

/* XLA asks what a function needs when it is registered, before anything is computed. */
static inline int asked(XLA_FFI_CallFrame *frame) {
  for (XLA_FFI_Extension_Base *more = frame->extension_start; more; more = more->next)
    if (more->type == XLA_FFI_Extension_Metadata) {
      XLA_FFI_Metadata *about = ((XLA_FFI_Metadata_Extension *)more)->metadata;
      about->api_version.major_version = XLA_FFI_API_MAJOR;
      about->api_version.minor_version = XLA_FFI_API_MINOR;
      about->traits = 0;
      return 1;
    }
  return 0;
}

static inline XLA_FFI_Buffer *argument(XLA_FFI_CallFrame *frame, long number) { return frame->args.args[number]; }
static inline XLA_FFI_Buffer *result(XLA_FFI_CallFrame *frame, long number) { return frame->rets.rets[number]; }

/* How many numbers it has. */
static inline int64_t numbers(const XLA_FFI_Buffer *buffer) {
  int64_t size = 1;
  for (int64_t axis = 0; axis < buffer->rank; axis++) size *= buffer->dims[axis];
  return size;
}
