"""A saved model predicts what its members' arithmetic says, from any table with its columns."""

import subprocess
import sys

import numpy as np
import polars as pl
import pytest
from prediction.models import dataset, parts, saved, table

from downslope.core.errors import BadData, IncompatiblePair
from downslope.data.encode import Encoder
from downslope.prediction import predictor as predictors
from downslope.prediction.predictor import load
from downslope.prediction.save import save_model


def by_hand(manifest, tensors, features, member):
    """The raw scores of one member, written out."""
    plain = manifest["members"][member]
    x = Encoder.from_json(plain["encoder"]).transform(features).astype(np.float64)
    first = tensors[f"{member}.0.weight"].astype(np.float64)[: x.shape[1]]
    hidden = x @ first + tensors[f"{member}.0.bias"]
    if f"{member}.1.weight" not in tensors:
        return hidden
    return np.where(hidden > 0, hidden, 0) @ tensors[f"{member}.1.weight"].astype(np.float64) + tensors[f"{member}.1.bias"]


@pytest.mark.parametrize(("pad", "hidden"), [(0, 3), (4, 3), (4, 0)])
def test_regression(tmp_path, pad, hidden):
    data = dataset()
    manifest, tensors = parts(data, pad=pad, hidden=hidden)
    model = load(save_model(tmp_path / "model", manifest, tensors))
    scales = [plain["target_scale"] for plain in manifest["members"]]
    expected = np.mean(
        [by_hand(manifest, tensors, data.features, i)[:, 0] * s["scale"] + s["centre"] for i, s in enumerate(scales)], axis=0
    )
    found = model.predict(table())
    np.testing.assert_allclose(found, expected, rtol=1e-12)
    assert found.dtype == np.float64 and found.shape == (60,)
    np.testing.assert_array_equal(model.raw(table()), found)
    with pytest.raises(IncompatiblePair, match="predicts values"):
        model.predict_proba(table())


@pytest.mark.parametrize("link", ["exp", "expm1"])
def test_scores_are_averaged_before_the_link(tmp_path, link):
    data = dataset()
    manifest, tensors = parts(data, link=link)
    for member, scale in enumerate((2.0, 0.5)):
        manifest["members"][member]["target_scale"] = {"centre": 0.0, "scale": scale}
    model = load(save_model(tmp_path / "model", manifest, tensors))
    raw = [by_hand(manifest, tensors, data.features, i)[:, 0] for i in (0, 1)]
    if link == "exp":
        expected = np.sqrt(2 * np.exp(raw[0]) * 0.5 * np.exp(raw[1]))
    else:
        units = [np.log1p(np.maximum(s * np.expm1(r), -1 + 1e-9)) for r, s in zip(raw, (2.0, 0.5), strict=True)]
        expected = np.expm1((units[0] + units[1]) / 2)
    np.testing.assert_allclose(model.predict(table()), expected, rtol=1e-9, atol=1e-9)


def test_binary(tmp_path):
    data = dataset("binary")
    manifest, tensors = parts(data, link="sigmoid", calibration={"temperature": 2.0})
    model = load(save_model(tmp_path / "model", manifest, tensors))
    expected = sum(by_hand(manifest, tensors, data.features, i)[:, 0] / 2 for i in (0, 1)) / 2
    shares = model.predict_proba(table(target="binary"))
    np.testing.assert_allclose(shares[:, 1], 1 / (1 + np.exp(-expected)), rtol=1e-12)
    np.testing.assert_allclose(shares.sum(axis=1), 1, rtol=1e-12)
    labels = model.predict(table(target="binary"))
    assert labels.tolist() == [("=no", "yes")[int(p > 0.5)] for p in shares[:, 1]] and len(set(labels)) == 2


def test_multiclass(tmp_path):
    data = dataset("multiclass")
    manifest, tensors = parts(data, link="softmax")
    model = load(save_model(tmp_path / "model", manifest, tensors))
    expected = sum(by_hand(manifest, tensors, data.features, i) for i in (0, 1)) / 2
    np.testing.assert_allclose(model.raw(table(target="multiclass")), expected, rtol=1e-12)
    shares = model.predict_proba(table(target="multiclass"))
    np.testing.assert_allclose(shares, np.exp(expected) / np.exp(expected).sum(axis=1, keepdims=True), rtol=1e-10)
    assert model.predict(table(target="multiclass")).tolist() == [("-1", "a", "b")[i] for i in shares.argmax(axis=1)]


def test_margin_losses(tmp_path):
    plain = load(saved(tmp_path, "binary", link="sign"))
    assert not plain.has_probabilities
    with pytest.raises(IncompatiblePair, match="never calibrated"):
        plain.predict_proba(table())
    scores = plain.raw(table())
    assert plain.predict(table()).tolist() == [("=no", "yes")[int(s > 0)] for s in scores]
    platt = load(saved(tmp_path / "p", "binary", link="sign", calibration={"platt": [2.0, -1.0]}))
    np.testing.assert_allclose(platt.raw(table()), 2 * scores - 1, rtol=1e-12)
    np.testing.assert_allclose(platt.predict_proba(table())[:, 1], 1 / (1 + np.exp(1 - 2 * scores)), rtol=1e-10)
    tempered = load(saved(tmp_path / "t", "multiclass", link="argmax", calibration={"temperature": 0.5}))
    np.testing.assert_allclose(tempered.predict_proba(table()).sum(axis=1), 1, rtol=1e-12)


def test_probabilities_at_extremes_are_exact(tmp_path):
    manifest, tensors = parts(dataset("binary"), link="sigmoid")
    model = load(save_model(tmp_path / "model", manifest, tensors))
    shares = model.probabilities(np.array([-800.0, 0.0, 800.0, 40.0]))
    assert shares[0].tolist() == [1.0, 0.0] and shares[2].tolist() == [0.0, 1.0] and shares[3, 0] > 0


def test_any_source_any_order_any_number_of_rows(tmp_path, monkeypatch):
    model = load(saved(tmp_path))
    expected = model.predict(table())
    frame = pl.DataFrame(table())
    frame.write_csv(tmp_path / "new.csv")
    for source in (frame, frame.select(frame.columns[::-1]), tmp_path / "new.csv", str(tmp_path / "new.csv"), frame.drop("y")):
        np.testing.assert_array_equal(model.predict(source), expected)
    np.testing.assert_allclose(model.predict(frame[::-1]), expected[::-1], rtol=1e-12)
    np.testing.assert_allclose([model.predict(frame[i])[0] for i in range(5)], expected[:5], rtol=1e-12)
    monkeypatch.setattr(predictors, "BLOCK", 7)
    np.testing.assert_allclose(model.predict(frame), expected, rtol=1e-12)


def test_missing_columns_and_extra_ones(tmp_path):
    model = load(saved(tmp_path))
    frame = pl.DataFrame(table())
    with pytest.raises(BadData, match=r"no column 'size'.*is it 'Size'\? Rename it"):
        model.predict(frame.rename({"size": "Size"}))
    with pytest.raises(BadData, match="no column 'town', which the model was trained on; add it"):
        model.predict(frame.drop("town"))
    more = model.features(frame.with_columns(pl.lit(1).alias("more")))
    assert more.notes == ("columns the model does not use: 'more'",)
    assert model.features(frame).notes == ()


def test_cells_that_training_did_not_prepare_for(tmp_path):
    model = load(saved(tmp_path))
    rows = {"size": ["1.5", "", "wide", "inf"], "town": ["Aa", "Zz", "", "Bo"], "when": ["2020-01-05", "soon", "", "2031-12-31"]}
    features = model.features(rows)
    assert np.isfinite(model.predict(features)).all()
    assert features.notes == (
        "'size': 2 rows have no usable number and count as missing (first 'wide', row 2)",
        "'town': 1 rows have a value that training never saw (first 'Zz', row 1)",
        "'when': 1 rows have no usable date and count as missing (first 'soon', row 1)",
    )


def test_the_run_folder_is_as_good_as_its_model(tmp_path):
    saved(tmp_path)
    assert load(tmp_path).predict(table()).shape == (60,)
    with pytest.raises(BadData, match="it has no manifest.json"):
        load(tmp_path / "elsewhere")


def test_predicting_imports_no_jax_and_no_scikit_learn(tmp_path):
    folder = saved(tmp_path)
    pl.DataFrame(table()).write_csv(tmp_path / "new.csv")
    program = (
        "import sys, downslope\n"
        f"print(downslope.load({str(folder)!r}).predict({str(tmp_path / 'new.csv')!r}).shape)\n"
        "print([name for name in ('jax', 'sklearn', 'scipy') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.split("\n")[:2] == ["(60,)", "[]"]
