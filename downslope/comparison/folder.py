"""The run folder: who owns it, what it holds, and how its files are written whole or not at all."""

import hashlib
import json
import os
import platform
from collections.abc import Iterable, Mapping
from importlib import metadata
from pathlib import Path
from typing import Any

from downslope.comparison.curves_file import Numbers, write_runs
from downslope.comparison.ledger import FILES, FORMAT, Ledger, clear
from downslope.core.errors import BadData, DownslopeError
from downslope.prediction.whole import write_whole

WRITTEN = ("report.html", "result.json", "runs.csv")
OURS = (*WRITTEN, *FILES)
MODEL = ("model.safetensors", "manifest.json")
LIBRARIES = ("jax", "jaxlib", "numpy", "polars", "scikit-learn", "scipy")


def versions() -> dict[str, str]:
    """What computed a result."""
    from downslope import __version__

    return {"downslope": __version__, "python": platform.python_version()} | {name: metadata.version(name) for name in LIBRARIES}


def open_folder(folder: Path, identity: Mapping[str, Any], fresh: bool) -> Ledger:
    """The ledger of a run folder, new or to be continued. Only a run with the same identity is continued."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        os.close(os.open(folder, os.O_RDONLY))
        if not os.access(folder, os.W_OK):
            raise PermissionError(13, "Permission denied")
    except OSError as problem:
        raise BadData(f"cannot write to the folder {folder} ({problem.strerror}); name another one with --out") from None
    others = [entry.name for entry in folder.iterdir() if entry.name not in (*OURS, "model")]
    if others and not (folder / "ledger.sqlite").exists():
        raise BadData(f"{folder} holds other files ({', '.join(sorted(others)[:3])}); name an empty folder with --out")
    ledger = Ledger(folder, fresh)
    for draft in (*folder.glob(".*.part"), *(folder / "model").glob(".*.part")):  # of a process that was killed while writing
        if draft.name.startswith(tuple(f".{name}." for name in (*WRITTEN, *MODEL))):
            draft.unlink(missing_ok=True)
    if fresh:
        clear(folder, WRITTEN)
        clear(folder / "model", MODEL)
    known = ledger.fact("identity")
    if known is None:
        ledger.store("identity", dict(identity))
    elif known != json.loads(json.dumps(dict(identity))):
        ledger.close()
        raise DownslopeError(
            f"{folder} holds another comparison ({difference(known, identity)}); --fresh starts anew, --out names another"
        )
    return ledger


def difference(known: Mapping[str, Any], identity: Mapping[str, Any]) -> str:
    """Where two identities differ, in a few words."""
    plain = json.loads(json.dumps(dict(identity)))
    names = [name for name in sorted({*known, *plain}) if known.get(name) != plain.get(name)]
    if "devices" in names:
        return f"made with {known.get('devices')} device(s), now {plain.get('devices')}: the last digits would differ"
    if "data" in names:
        return "the data has changed"
    old, new = known.get("own") or {}, plain.get("own") or {}
    changed = [name for name in sorted({*old} & {*new}) if old[name] != new[name]]
    if changed:
        return f"{' and '.join(changed)} changed since"
    return "; ".join(f"{name}: {short(known.get(name))}, now {short(plain.get(name))}" for name in names[:3])


def short(value: Any) -> str:
    """A value in at most 60 characters."""
    text = json.dumps(value)
    return text if len(text) <= 60 else text[:57] + "..."


def identity(**facts: Any) -> dict[str, Any]:
    """What makes two runs the same: data, arguments, versions, kind of devices."""
    return {"format": FORMAT, "versions": versions(), **facts}


def fingerprint(identity: Mapping[str, Any]) -> str:
    """A run's identity as sixteen hexadecimal digits."""
    return hashlib.sha256(json.dumps(dict(identity), sort_keys=True).encode()).hexdigest()[:16]


def write_report(folder: Path, page: str) -> None:
    """`report.html`."""
    write_whole(folder / "report.html", page.encode())


def write_result(folder: Path, data: Mapping[str, Any], epochs: Iterable[tuple[Mapping[str, Any], Numbers]]) -> None:
    """`result.json` as strict JSON, and `runs.csv`."""
    write_whole(folder / "result.json", json.dumps(data, indent=1, allow_nan=False, ensure_ascii=False).encode())
    write_runs(folder, epochs)
