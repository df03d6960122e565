"""Try a columnar file in a process of its own first: a damaged one can end the process that reads it.

The reader trusts lengths that the file claims. One that claims a million gigabytes is not an error there but the end: the
failed allocation aborts, past every `except`. A panic, which can be caught, still writes pages to stderr.
"""

import subprocess
import sys

from downslope.core.errors import BadData

READERS = {
    "parquet": "polars.read_parquet(data)",
    "arrow": "polars.read_ipc(data)",
    "stream": "polars.read_ipc_stream(data)",
}
REFUSED = 3
PATIENCE = 120  # seconds; a gigabyte takes about two
PROGRAM = """
import io, sys
import polars
data = io.BytesIO(sys.stdin.buffer.read())
try:
    {reader}
except BaseException as problem:
    print((str(problem).strip() or type(problem).__name__).splitlines()[0][:120])
    sys.exit({refused})
"""


def refuse_what_kills(data: bytes, kind: str, source: str) -> None:
    """An error when reading this file fails, or ends the process that tries."""
    if not sys.executable:
        return  # inside another program there is no interpreter to start
    program = PROGRAM.format(reader=READERS[kind], refused=REFUSED)
    try:
        # -P: a file called polars.py in the present folder is not run.
        done = subprocess.run(
            [sys.executable, "-P", "-c", program], input=data, capture_output=True, timeout=PATIENCE, check=False
        )
    except subprocess.TimeoutExpired:
        raise BadData(f"{source} is damaged: reading it took longer than {PATIENCE} seconds; write it again") from None
    except OSError:
        return  # no process can be started here; the errors that can be caught are caught by the caller
    if done.returncode == REFUSED:
        reason = done.stdout.decode("utf-8", errors="replace").strip() or "the reader refused it"
        raise BadData(f"{source} is damaged: {reason}; write it again")
    if done.returncode < 0:
        raise BadData(f"{source} is damaged: the reader broke off (signal {-done.returncode}); write it again")
