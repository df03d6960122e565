"""Mutated files through reading, describing, splitting and encoding, and mutated models through loading.

    python tests/fuzz_read.py --seconds 60 --seed 0

Every case must end in a result or in one of our errors of one line, within five seconds and a gigabyte. What does not is
kept in the folder `fuzz-failures` and makes the exit code 1; the case that ends the process itself is the one called `current`.
"""

import argparse
import gzip
import io
import json
import random
import resource
import shutil
import signal
import sys
import tempfile
import time
import traceback
import warnings
from collections import Counter
from pathlib import Path

import numpy as np
import polars as pl

sys.path.insert(0, str(Path(__file__).parent))

from data.tables import text  # noqa: E402  (the tests' own tables, found beside this file)
from prediction.models import saved, table  # noqa: E402  (as above)

from downslope.core.errors import DownslopeError  # noqa: E402  (as above)
from downslope.data.describe import describe  # noqa: E402  (as above)
from downslope.data.encode import Encoder  # noqa: E402  (as above)
from downslope.data.read import read  # noqa: E402  (as above)
from downslope.data.split import split  # noqa: E402  (as above)
from downslope.prediction.predictor import load  # noqa: E402  (as above)

SECONDS_A_CASE = 5
BYTES_MORE = 1 << 30
COLUMNAR = ("t.parquet", "t.arrow", "s.arrow")  # each takes a process of its own, half a second
PIECES = [
    *(b"\n", b"\r\n", b"\r", b",", b";", b"\t", b'"', b'""', b"\0", b"\xff", b"\xef\xbb\xbf", b"'"),
    *(b"NA", b"inf", b"-1e999", b"nan", b"0012", b"2020-01-01", b"1,5", b"=1+1", "é日本".encode(), b" " * 300, b"9" * 400),
]


def seeds() -> dict[str, bytes]:
    """A good file of each format."""
    frame = pl.read_csv(text().encode())
    dates = text().replace("red", "2020-01-01").replace("green", "2021-05-06").replace("blue", "")
    files = {"plain.csv": text().encode(), "dates.csv": dates.encode()}
    files["semicolon.csv"] = text(separator=";").replace(".", ",").encode()
    files["quoted.csv"] = text().replace("red", '"r, ""e""\nd"').encode()
    files["packed.csv.gz"] = gzip.compress(text().encode(), mtime=0)
    for name, write in (("t.parquet", frame.write_parquet), ("t.arrow", frame.write_ipc), ("s.arrow", frame.write_ipc_stream)):
        memory = io.BytesIO()
        write(memory)
        files[name] = memory.getvalue()
    memory = io.BytesIO()
    np.savez(memory, X=np.arange(60.0).reshape(30, 2) % 7, y=np.arange(30.0) % 11 + 0.5)
    files["t.npz"] = memory.getvalue()
    return files


def mutate(data: bytes, draw: random.Random) -> bytes:
    """A few random edits: bytes changed, pieces put in, cut out, doubled, or everything after a point lost."""
    mutated = bytearray(data)
    for _ in range(draw.choice((1, 1, 2, 3, 8))):
        at = draw.randrange(len(mutated) + 1)
        what = draw.randrange(6)
        if what == 0 and mutated:
            mutated[at % len(mutated)] = draw.randrange(256)
        elif what == 1:
            mutated[at:at] = draw.choice(PIECES)
        elif what == 2:
            del mutated[at : at + draw.choice((1, 5, 50))]
        elif what == 3:
            mutated[at:at] = mutated[at : at + draw.choice((10, 200))] * draw.choice((1, 2, 5))
        elif what == 4:
            mutated[at : at + 4] = draw.randbytes(4)
        else:
            del mutated[at : None if draw.random() < 0.2 else at + 1]
    return bytes(mutated)


def learn(path: Path) -> str:
    """The whole way of a table."""
    found = read(path)
    dataset = describe(found, found.columns[-1] if found.target is None else found.target)
    assert dataset.rows_read == dataset.rows_used + sum(dataset.dropped.values()), "rows went missing"
    encoded = Encoder.fit(dataset, split(dataset).confirmation[0].train).transform(dataset.features)
    assert np.isfinite(encoded).all(), "features are not finite"
    return "read"


def use(folder: Path) -> str:
    """The whole way of a model; a change that leaves the hashes right does not exist."""
    predictor = load(folder)
    assert np.isfinite(predictor.predict(table())).all()
    return "loaded"


def refuse_to_wait(*_: object) -> None:
    """The alarm clock of one case."""
    raise TimeoutError(f"longer than {SECONDS_A_CASE} seconds")


def attempt(way, path: Path) -> tuple[str, str]:
    """What became of one case, and what is wrong with that."""
    signal.alarm(SECONDS_A_CASE)
    try:
        return way(path), ""
    except DownslopeError as problem:
        return "refused", "" if "\n" not in str(problem) else f"an error of several lines: {problem}"
    except BaseException as problem:
        if isinstance(problem, KeyboardInterrupt):
            raise
        return "failed", traceback.format_exc()
    finally:
        signal.alarm(0)


def main() -> int:
    """Run for some seconds, print the count, keep what failed."""
    options = argparse.ArgumentParser(description="Mutated files through the readers.")
    options.add_argument("--seconds", type=float, default=60)
    options.add_argument("--seed", type=int, default=0)
    given = options.parse_args()
    warnings.simplefilter("error")
    signal.signal(signal.SIGALRM, refuse_to_wait)
    files, draw, counts = seeds(), random.Random(given.seed), Counter()
    place, failures = Path(tempfile.mkdtemp(prefix="fuzz-")), Path("fuzz-failures")
    for name, data in files.items():
        (place / name).write_bytes(data)
        assert attempt(learn, place / name) == ("read", ""), f"the unchanged {name} cannot be read"
    model = saved(place)
    whole = {name: (model / name).read_bytes() for name in ("manifest.json", "model.safetensors")}
    use(model)
    failures.mkdir(exist_ok=True)
    used = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    names = [*files, *whole]
    end = time.monotonic() + given.seconds
    while time.monotonic() < end:
        name = draw.choices(names, [1 if name in COLUMNAR else 20 for name in names])[0]
        data = mutate(files.get(name) or whole[name], draw)
        (failures / f"current-{name}").write_bytes(data)
        if name in files:
            path = place / name
            path.write_bytes(data)
            outcome, wrong = attempt(learn, path)
        else:
            (model / name).write_bytes(data)
            outcome, wrong = attempt(use, model)
            (model / name).write_bytes(whole[name])
            if outcome == "loaded" and data != whole[name]:
                outcome, wrong = "failed", "a changed model was loaded"
        counts[outcome] += 1
        if wrong:
            (failures / f"{counts['failed']}-{name}").write_bytes(data)
            (failures / f"{counts['failed']}-{name}.txt").write_text(wrong)
            print(f"{name}: {wrong.strip().splitlines()[-1]}", file=sys.stderr)
        (failures / f"current-{name}").unlink()
    shutil.rmtree(place)
    more = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 - used
    print(json.dumps({"cases": counts.total(), **counts, "megabytes_more": more >> 20}))
    if counts["failed"] or more > BYTES_MORE:
        return 1
    failures.rmdir()
    return 0


if __name__ == "__main__":
    sys.exit(main())
