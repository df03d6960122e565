"""The two files of a model: whole or absent, every byte accounted for, and never code."""

import hashlib
import json
import os
import random
import struct
import sys

import numpy as np
import pytest
from prediction.models import dataset, parts, saved, table

from downslope.core.errors import BadData, DownslopeError
from downslope.prediction import manifest as manifests
from downslope.prediction import save
from downslope.prediction import tensors as tensor_files
from downslope.prediction.predictor import load
from downslope.prediction.save import save_model
from downslope.prediction.whole import write_whole


def sign(plain: dict) -> bytes:
    """A manifest with a correct hash, as somebody who wants to do harm would write it."""
    return manifests.dump(plain)


def test_the_same_model_gives_the_same_bytes(tmp_path):
    one, two = saved(tmp_path / "one"), saved(tmp_path / "two")
    for name in ("model.safetensors", "manifest.json"):
        assert (one / name).read_bytes() == (two / name).read_bytes()
    assert sorted(os.listdir(one)) == ["manifest.json", "model.safetensors"]


def test_the_manifest_is_strict_json_without_code_or_paths(tmp_path):
    folder = saved(tmp_path)
    content = (folder / "manifest.json").read_text()
    plain = json.loads(content, parse_constant=pytest.fail)
    assert set(plain) >= {"format", "task", "target", "classes", "link", "columns", "members", "network", "tensors", "sha256"}
    assert "downslope." not in content and str(tmp_path) not in content and "__" not in content
    for name, tensor in tensor_files.load((folder / "model.safetensors").read_bytes(), plain).items():
        assert plain["tensors"][name]["sha256"] == hashlib.sha256(tensor.tobytes()).hexdigest()


def test_every_changed_byte_is_refused(tmp_path):
    manifest, tensors = parts(dataset(), members=1, hidden=0)
    folder = save_model(tmp_path / "model", manifest, tensors)
    load(folder)
    tried = 0
    for name in ("model.safetensors", "manifest.json"):
        path = folder / name
        good = path.read_bytes()
        for position in range(len(good)):
            for change in (1, 0x20, 0x80) if name == "model.safetensors" else (1 << position % 8,):
                bad = bytearray(good)
                bad[position] ^= change
                path.write_bytes(bytes(bad))
                with pytest.raises(BadData) as caught:
                    load(folder)
                assert "\n" not in str(caught.value) and name in str(caught.value)
                tried += 1
        for length in (0, 1, 7, 8, 9, len(good) // 2, len(good) - 1):
            path.write_bytes(good[:length])
            with pytest.raises(BadData):
                load(folder)
        path.write_bytes(good + b" ")
        with pytest.raises(BadData):
            load(folder)
        path.write_bytes(good)
    load(folder)
    assert tried > 2000


def nested(depth: int) -> bytes:
    return b"[" * depth + b"]" * depth


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"format": 2}, "its format is 2"),
        ({"task": "code"}, "its task"),
        ({"link": "os.system"}, "its link"),
        ({"classes": ["a", "b"]}, "has classes"),
        ({"columns": []}, "no columns"),
        ({"columns": [{"name": "a", "kind": "module", "details": {}}]}, "no usable kind"),
        ({"columns": [{"name": "a", "kind": "number", "details": {}}] * 2}, "one name"),
        ({"members": []}, "no members"),
        ({"members": [{"encoder": {}}]}, "encoder of member 0 is unreadable"),
        ({"members": [{"encoder": {"parts": []}}]}, "unknown columns"),
        ({"network": {"kind": "lambda"}}, "network is unknown"),
        ({"network": {"kind": "mlp", "activation": "exec"}}, "activation is unknown"),
        ({"tensors": {}}, "not those of the manifest"),
        ({"tensors_sha256": "0" * 64}, "do not match the hash"),
        ({"target": 7}, "names no target"),
    ],
)
def test_a_signed_manifest_is_not_believed_either(tmp_path, change, reason):
    folder = saved(tmp_path)
    plain = json.loads((folder / "manifest.json").read_text())
    del plain["sha256"]
    (folder / "manifest.json").write_bytes(sign({**plain, **change}))
    with pytest.raises(BadData, match=reason):
        load(folder)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"target_scale": {"centre": 0, "scale": 0}}, "not positive"),
        ({"target_scale": {"centre": "0", "scale": 1}}, "no pair of numbers"),
        ({"calibration": {"temperature": 0}}, "not positive"),
        ({"calibration": {"platt": [1]}}, "calibration is unknown"),
        ({"calibration": {"code": 1}}, "calibration is unknown"),
    ],
)
def test_members_are_checked(tmp_path, change, reason):
    manifest, tensors = parts(dataset())
    manifest["members"][1].update(change)
    with pytest.raises(BadData, match=f"is not saved: .*{reason}"):
        save_model(tmp_path / "model", manifest, tensors)
    assert not (tmp_path / "model").exists()


def test_tensors_must_fit(tmp_path):
    manifest, tensors = parts(dataset())
    for change, reason in [
        ({"1.1.bias": np.zeros(2)}, "impossible shape"),
        ({"0.1.weight": np.zeros((4, 1)), "0.1.bias": np.zeros(1)}, "does not fit its input"),
        ({"0.0.weight": np.zeros((2, 3))}, "does not fit its input"),
        ({"7.0.weight": np.zeros((2, 3))}, "no member uses"),
        ({"0.0.bias": np.array([np.nan, 0, 0])}, "not finite"),
    ]:
        with pytest.raises(BadData, match=reason):
            save_model(tmp_path / "model", manifest, {**tensors, **change})


def test_limits_are_checked_before_the_library_sees_the_file(tmp_path, monkeypatch):
    folder = saved(tmp_path)
    monkeypatch.setattr(tensor_files.safetensors.numpy, "load", lambda *_: pytest.fail("the library saw the file"))
    path = folder / "model.safetensors"
    entry = {"dtype": "F32", "shape": [0], "data_offsets": [0, 0]}
    many = json.dumps({str(i): entry for i in range(10_001)}).encode()
    half = json.dumps({"a": {"dtype": "F16", "shape": [0], "data_offsets": [0, 0]}}).encode()
    for data, reason in [
        (struct.pack("<Q", 59 << 20) + bytes(100), "larger than 1 MB"),
        (struct.pack("<Q", 1 << 62), "larger than 1 MB"),
        (struct.pack("<Q", len(many)) + many, "more than 10000 tensors"),
        (struct.pack("<Q", 200) + nested(100), "nested more than 50 deep"),
        (struct.pack("<Q", len(half)) + half, "not float32"),
        (struct.pack("<Q", 100) + bytes(10), "cut off"),
        (b"abc", "cut off"),
    ]:
        path.write_bytes(data)
        with pytest.raises(BadData, match=reason):
            load(folder)


def test_limits_of_the_manifest(tmp_path, monkeypatch):
    folder = saved(tmp_path)
    path = folder / "manifest.json"

    def signed(rest: bytes) -> bytes:
        return b'{"sha256": "%s",\n' % hashlib.sha256(rest).hexdigest().encode() + rest

    for rest, reason in [
        (b'"a": ' + nested(60) + b"}", "nested more than 50 deep"),
        (b'"a": ' + nested(10**6) + b"}", "nested more than 50 deep"),
        (b'"a": NaN}', "holds NaN"),
        (b'"a": 1', "not JSON"),
        (b'"a": "' + b"[" * 100 + b'"}', "its format is None"),
    ]:
        path.write_bytes(signed(rest))
        with pytest.raises(BadData, match=reason):
            load(folder)
    monkeypatch.setattr(manifests, "LARGEST", 1000)
    path.write_bytes(signed(b'"a": "' + b"x" * 2000 + b'"}'))
    with pytest.raises(BadData, match="larger than"):
        load(folder)


def test_loading_never_runs_code(tmp_path):
    """No mutated model makes the process import, execute or connect to anything."""
    folder = saved(tmp_path)
    load(folder).predict(table())
    seen: list[str] = []
    armed = [True]

    def watch(event: str, arguments: tuple) -> None:
        if (
            armed[0]
            and event.split(".")[0] in ("exec", "import", "compile", "subprocess", "socket", "os")
            and event not in HARMLESS
        ):
            seen.append(event)

    sys.addaudithook(watch)
    draw = random.Random(0)
    good = {name: (folder / name).read_bytes() for name in ("manifest.json", "model.safetensors")}
    try:
        for _ in range(300):
            name = draw.choice(sorted(good))
            data = bytearray(good[name])
            for _ in range(draw.randint(1, 4)):
                data[draw.randrange(len(data))] = draw.randrange(256)
            (folder / name).write_bytes(bytes(data))
            try:
                load(folder)
            except DownslopeError:
                pass
            (folder / name).write_bytes(good[name])
    finally:
        armed[0] = False
    assert seen == []


HARMLESS = ("os.listdir", "os.scandir")


def test_a_failed_write_leaves_no_half_model(tmp_path, monkeypatch):
    """Whichever of the writes fails, the folder holds a whole model or none, and no stray file."""
    manifest, tensors = parts(dataset())
    real = os.replace
    for failing in (1, 2):
        folder = save_model(tmp_path / f"m{failing}", manifest, tensors)
        count = [0]

        def replace(source, target, count=count, failing=failing):
            count[0] += 1
            if count[0] == failing:
                raise OSError(28, "No space left on device")
            real(source, target)

        monkeypatch.setattr(os, "replace", replace)
        with pytest.raises(OSError, match="No space left"):
            save_model(folder, manifest, tensors)
        monkeypatch.setattr(os, "replace", real)
        assert not [name for name in os.listdir(folder) if name.endswith(".part")]
        with pytest.raises(BadData, match="has no manifest"):
            load(folder)
        save_model(folder, manifest, tensors)
        assert load(folder).predict(table()).shape == (60,)


def test_a_place_where_nothing_may_be_written(tmp_path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(BadData, match="cannot write .*choose another place"):
        write_whole(tmp_path / "file" / "out.csv", b"x")
    assert (tmp_path / "file").read_text() == "in the way"


def test_a_link_in_the_way_is_not_followed(tmp_path):
    precious = tmp_path / "precious"
    precious.write_text("keep")
    (tmp_path / "out").symlink_to(precious)
    (tmp_path / f".out.{os.getpid()}.part").symlink_to(precious)
    write_whole(tmp_path / "out", b"new")
    assert precious.read_text() == "keep" and (tmp_path / "out").read_bytes() == b"new"


def test_names_of_tensors():
    layers = [{"weight": np.zeros((2, 3)), "bias": np.zeros(3)}, {"weight": np.zeros((3, 1)), "bias": np.zeros(1)}]
    named = save.name_tensors([layers, layers])
    assert list(named)[:4] == ["0.0.weight", "0.0.bias", "0.1.weight", "0.1.bias"] and len(named) == 8
    assert all(tensor.dtype == np.float32 for tensor in named.values())
