"""Programs of arithmetic that are compiled with the kernels: made from the formulas of our losses and default optimizers."""

import ctypes
import re
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path

import numpy as np

from downslope.core import native
from downslope.core.instructions import BY_NUMBER, CODES, STEP, WITH_SINGLES

KERNELS = Path(__file__).parent / "c"
HEAD = """\
/* Programs of our losses and default optimizers, compiled: made from their formulas by `make generate`, not to be edited. */

#include "compiled.h"

#include "call.h"

#include "program.h"
"""
TAIL = """
static const struct compiled all[] = {{
{entries}
}};

const struct compiled *downslope_compiled(const int64_t *text, int64_t length) {{
#if !defined(NOTHING_COMPILED) /* that is for a test */
  for (unsigned long at = 0; at < sizeof all / sizeof *all; at++)
    if (all[at].length == length && !memcmp(all[at].text, text, length * sizeof *text)) return all + at;
#endif
  return 0;
}}
"""


def source(programs: Mapping[str, Sequence[int]]) -> str:
    """The C of programs by name: loops in which each operation is written out."""
    texts = [function(name, text) for name, text in programs.items()]
    entries = [f"    {{text_{name}, sizeof text_{name} / 8, run_{name}}}," for name in programs]
    return "\n".join([HEAD, *texts]) + TAIL.format(entries="\n".join(entries))


def function(name: str, text: Sequence[int]) -> str:
    """One program as a function."""
    inputs, outputs, singles, _, count, *steps = text
    held = {place: f"a{place}[i]" for place in range(inputs)}
    held |= {inputs + outputs + at: f"singles[{at}]" for at in range(singles)}
    codes, lines = names(), []
    for at in range(count):
        code, result, *places = steps[STEP * at : STEP * at + STEP]
        given = [held[place] if number < BY_NUMBER[code][0] else "0" for number, place in enumerate(places)]
        lines.append(f"    const float v{at} = do_{codes[code]}({', '.join(given)});")
        held[result] = f"v{at}"
    lines += [f"    a{place}[i] = {held[place]};" for place in range(inputs, inputs + outputs)]
    arrays = [f"  float *a{place} = homes[{place}];" for place in range(inputs + outputs)]
    numbers = "\n".join("   " + "".join(f" {number}," for number in text[at : at + 24]) for at in range(0, len(text), 24))
    return "\n".join(
        [
            f"static const int64_t text_{name}[] = {{\n{numbers}\n}};\n",
            f"WIDE static void run_{name}(float *const *homes, const float *singles, int64_t size) {{",
            *arrays,
            '  _Pragma("GCC ivdep") for (int64_t i = 0; i < size; i++) {',
            *lines,
            "  }\n}\n",
        ]
    )


@cache
def names() -> list[str]:
    """The kernel's names of the codes; those for single numbers are here the same as the others."""
    slow = {quick: name for name, (quick, _) in WITH_SINGLES.items()}
    found = re.findall(r"OF\((\w+), ", (KERNELS / "program.h").read_text(encoding="utf-8"))
    of = dict(zip(CODES, found, strict=False))
    return [of[slow.get(name, name)] for name in CODES]


def is_compiled(text: Sequence[int]) -> bool:
    """Whether the kernels hold this program."""
    library = native.library()
    if library is None:
        return False
    numbers = np.array(text, np.int64)
    library.downslope_compiled.restype = ctypes.c_void_p
    return bool(library.downslope_compiled(ctypes.c_void_p(numbers.ctypes.data), ctypes.c_int64(len(numbers))))
