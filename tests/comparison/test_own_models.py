"""Models of the user's own: any task, any nesting of parameters, objects and classes as well as files."""

import hashlib
import json
from types import SimpleNamespace
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import safetensors.numpy

from downslope import load, train
from downslope.core import tree
from downslope.core.errors import BadData, IncompatiblePair
from downslope.models import catalogue
from downslope.prediction import own
from tests.comparison import small

CLASS = '''
"""A line through a root."""

import jax.numpy as jnp

from downslope.core.about import AboutPart
from downslope.core.record import choice
from downslope.models.base import Model


class Rooted(Model):
    """Takes the root of the size of each feature beside it."""

    about = AboutPart(title="Rooted")
    power: float = choice(default=0.5, doc="Which root.")

    def init(self, key, features, outputs):
        return [jnp.zeros((features, outputs)), jnp.zeros((features, outputs)), {"offset": jnp.zeros(outputs)}]

    def apply(self, params, x, key=None):
        plain, rooted, rest = params
        return x @ plain + (jnp.abs(x) + 1e-3) ** self.power @ rooted + rest["offset"][None]
'''
SHORT = {"optimizer": "adam(learning_rate=0.05)", "epochs": 4, "seeds": 3}


class Layer(NamedTuple):
    """A container that no JSON can name."""

    weight: jax.Array
    bias: jax.Array


def init(key, features, outputs):
    return Layer(jax.random.normal(key, (features, outputs)) / 10, jnp.zeros(outputs))


def apply(params, x, key=None):
    if key is not None:
        x = jnp.where(jax.random.bernoulli(key, 0.9, x.shape), x / 0.9, 0)
    return x @ params.weight + params.bias[None]


@pytest.fixture(scope="module")
def labelled():
    return small.only(*small.LABELLED)


def test_a_class_in_a_file_for_two_classes_as_a_single_model(tmp_path, labelled):
    file = tmp_path / "rooted.py"
    file.write_text(CLASS.lstrip(), encoding="utf-8")
    typed = f"{file}(power=0.25)"
    result = train(labelled, "dear", loss="bce", model=typed, single=True, out=tmp_path / "run", **SHORT)
    network = json.loads((tmp_path / "run/model/manifest.json").read_text())["network"]
    assert (network["kind"], network["name"], network["settings"]) == ("own", "rooted.py", {"power": 0.25})
    assert network["sha256"] == hashlib.sha256(file.read_bytes()).hexdigest()
    assert network["structure"] == ["list", [0, 1, ["dict", {"offset": 2}]]]
    chances = load(tmp_path / "run", model=file).predict_proba(labelled)
    np.testing.assert_allclose(chances, result.model.predict_proba(labelled), rtol=1e-6)
    assert len(result.model.members) == 1 and chances.shape == (200, 2)
    right = result.model.predict(labelled) == np.array(labelled["dear"], dtype=object)
    assert right.mean() > 0.7 and result.data["test"]["roc_auc"] > 0.7


def test_an_object_with_parameters_of_any_kind_and_a_key_for_several_classes(tmp_path):
    model = SimpleNamespace(init=init, apply=apply)
    result = train("demo:iris", loss="cross_entropy", model=model, out=tmp_path / "run", **SHORT)
    network = json.loads((tmp_path / "run/model/manifest.json").read_text())["network"]
    assert (network["name"], network["sha256"], network["structure"]) == ("SimpleNamespace", None, None)
    assert result.data["test"]["accuracy"] > 0.6
    with pytest.raises(BadData, match="is your own, SimpleNamespace"):
        load(tmp_path / "run")
    again = load(tmp_path / "run", model=model)
    rows = {f"{part} {what} (cm)": [5.1, 6.7, 4.9] for part in ("sepal", "petal") for what in ("length", "width")}
    np.testing.assert_array_equal(again.predict(rows), result.model.predict(rows))
    np.testing.assert_allclose(again.raw(rows), by_hand(again, tmp_path / "run/model", rows), rtol=1e-5)


def by_hand(model, folder, rows):
    """The mean of the members' scores from the saved numbers, after each one's encoder and temperature."""
    tensors, scores = safetensors.numpy.load_file(folder / "model.safetensors"), []
    for number, member in enumerate(model.members):
        hidden = member.encoder.transform(model.features(rows).columns)
        scores.append(member.calibrated(hidden @ tensors[f"{number}.0"] + tensors[f"{number}.1"]))
    return np.mean(scores, axis=0)


def test_a_model_of_ours_needs_no_file(prices, tmp_path):
    with pytest.raises(BadData, match="is mlp, which needs no file of yours; leave out mine.py"):
        load(prices.folder, model="mine.py")


def test_what_is_no_model_is_refused():
    with pytest.raises(IncompatiblePair, match="expected the name of a known model"):
        catalogue.make(SimpleNamespace(init=init))
    network = {"settings": {}, "name": "x", "features": 1, "outputs": 1}
    with pytest.raises(IncompatiblePair, match="with init and apply, got 3"):
        own.formula(3, network, "folder")


def test_a_path_in_a_manifest_is_a_word_and_no_order(tmp_path):
    """What a saved model says of its file is shown, never run."""
    evil = tmp_path / "evil.py"
    evil.write_text("raise SystemExit('it was run')\n")
    train("demo:iris", loss="cross_entropy", model=SimpleNamespace(init=init, apply=apply), out=tmp_path / "run", **SHORT)
    from downslope.prediction import manifest as manifests

    path = tmp_path / "run/model/manifest.json"
    content = manifests.read_manifest(path)
    del content["sha256"]
    content["network"]["name"] = str(evil)
    path.write_bytes(manifests.dump(content))
    with pytest.raises(BadData, match=r"is your own, .*evil\.py, and a saved model never runs anything by itself"):
        load(tmp_path / "run")


@pytest.mark.parametrize("nested", [{"b": 1, "a": (0, [2, None])}, [0], 0, (), {"x": {}}])
def test_nestings_survive_json(nested):
    outline = json.loads(json.dumps(own.outline(nested)))
    leaves = ["zero", "one", "two"]
    assert own.filled(outline, leaves) == jax.tree.map(lambda place: leaves[place], nested)


@pytest.mark.parametrize("nested", [Layer(0, 1), {1: 0}, [Layer(0, 1)], np.zeros(2)])
def test_other_containers_have_no_outline(nested):
    assert own.outline(nested) is None


def test_a_tree_is_rebuilt_from_what_makes_it():
    made = tree.rebuilt(lambda key: init(key, 3, 2), ["weight", "bias"])
    assert made == Layer("weight", "bias")
