"""Class weights and smoothed labels: for the rows that are learned from, alike for everyone, and said wherever it counts."""

import json

import jax
import numpy as np
import pytest
from click.testing import CliRunner

from downslope.cli.main import cli
from downslope.comparison.contender import contenders
from downslope.comparison.labels import Labels, labels
from downslope.comparison.paste import paste
from downslope.comparison.report.method import commands
from downslope.comparison.report.method import protocol as settings_of_report
from downslope.core.about import Task
from downslope.core.errors import DownslopeError, IncompatiblePair
from downslope.losses import BinaryCrossEntropy, CrossEntropy
from tests.comparison import small
from tests.comparison.test_paste import result, run

NAMES = ("no", "yes")


def table(shift=0.0):
    whole = small.only(*small.LABELLED, "price")
    whole["price"] = [price + shift for price in whole["price"]]
    return whole


def field(losses, task=Task.BINARY, optimizers="sgd"):
    return contenders(losses, optimizers, task=task, batch=32)


def test_only_rows_that_are_learned_from_are_weighed():
    whole = small.only(*small.LABELLED, "importance")
    plain, heavy = (small.problem(whole, "dear", weight="importance") for _ in range(2))
    heavy.labels = Labels({"yes": 5.0})
    loss = BinaryCrossEntropy()
    for before, after in zip(plain.folds(loss), heavy.folds(loss), strict=True):
        np.testing.assert_array_equal(after.weight, before.weight * np.where(before.y == 1, 5, 1))
        np.testing.assert_array_equal(after.stop_weight, before.stop_weight)
    np.testing.assert_array_equal(heavy.weight(np.arange(9)), plain.weight(np.arange(9)))


def test_balance_is_that_of_the_rows_that_are_learned_from():
    y, weight = np.array([0, 0, 0, 1, 2, 2]), np.array([1.0, 2.0, 1.0, 3.0, 0.5, 0.5])
    found = Labels("balanced").weight(y, weight, ("a", "b", "c"))
    np.testing.assert_allclose([found[y == label].sum() for label in range(3)], weight.sum() / 3)
    np.testing.assert_allclose(found[:3] / weight[:3], found[0])


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ("balanced", "balanced"),
        ("no=1, yes=5", "no=1, yes=5"),
        ("yes = 2.5", "yes=2.5"),
        ({"yes": 5}, "yes=5"),
        ("", None),
        (None, None),
    ],
)
def test_class_weights_are_understood_and_what_is_said_can_be_typed(given, words):
    dataset = small.problem(table(), "dear").dataset
    found = labels(given, 0.0, dataset)
    assert found.facts().get("class_weight") == words
    assert labels(words, None, dataset) == found


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"class_weight": "even"}, "class_weight must be 'balanced' or weights like 'no=1, yes=5', got 'even'"),
        ({"class_weight": 3}, "class_weight must be"),
        ({"class_weight": "yess=2"}, "unknown class of 'dear' 'yess'; did you mean 'yes'"),
        ({"class_weight": "yes=many"}, "the weight of class 'yes' must be a number of at least 0, got 'many'"),
        ({"class_weight": {"yes": -1}}, "the weight of class 'yes' must be a number of at least 0, got -1"),
        ({"class_weight": {"yes": None}}, "got None"),
        ({"label_smoothing": 1.0}, "label_smoothing must be at least 0 and below 1, got 1.0"),
    ],
)
def test_what_is_not_understood_is_said_in_one_line(options, words):
    with pytest.raises(DownslopeError, match=words) as problem:
        labels(**({"class_weight": None, "label_smoothing": None} | options), dataset=small.problem(table(), "dear").dataset)
    assert "\n" not in str(problem.value)


def test_a_quantity_has_no_classes():
    dataset = small.problem(table()).dataset
    with pytest.raises(IncompatiblePair, match="class weights need classes, and 'price' is a quantity"):
        labels("balanced", None, dataset)
    with pytest.raises(IncompatiblePair, match="squared_error takes no smoothed labels, for its targets are any real number"):
        labels(None, 0.1, dataset).fitted(field("mse", Task.REGRESSION), dataset)


def test_who_cannot_learn_from_such_labels_stays_with_the_reason():
    dataset = small.problem(table(), "dear").dataset
    found = {one.loss.name: one.reason for one in labels(None, 0.1, dataset).fitted(field("bce, hinge"), dataset)}
    assert found == {"binary_cross_entropy": "", "hinge": "hinge takes no smoothed labels, for its targets are 0 or 1"}
    single = labels("balanced", None, dataset).fitted(field("bce", optimizers="sgd@1, sgd"), dataset)
    assert ["class weights cancel" in one.reason for one in single] == [True, False]


def test_a_target_outside_the_domain_is_named_before_anything_runs():
    whole = table()
    whole["price"][7], whole["price"][11] = None, -2.5
    dataset = small.problem(whole).dataset
    found = {one.loss.name: one.reason for one in Labels().fitted(field("mse, poisson, gamma", Task.REGRESSION), dataset)}
    assert found["squared_error"] == ""
    assert found["poisson"] == "poisson: target in row 11 is -2.5, expected 0 or above"
    assert found["gamma"] == "gamma: target in row 11 is -2.5, expected above 0"


@pytest.mark.parametrize("class_weight", [None, "balanced", "a=1, b=5"])
@pytest.mark.parametrize("smoothing", [None, 0.1])
@pytest.mark.parametrize("loss", ["binary_cross_entropy", "cross_entropy", "hinge", "crammer_singer_hinge"])
def test_other_frameworks_are_told_or_told_nothing(loss, smoothing, class_weight):
    several = loss in ("cross_entropy", "crammer_singer_hinge")
    classes = ["a", "b", "c"] if several else ["a", "b"]
    given = result(loss, "adam", class_weight=class_weight, label_smoothing=smoothing, classes=classes)
    code = paste(given)
    assert ("class_weight=" in code["downslope"]) == (class_weight is not None)
    assert ("label_smoothing=0.1" in code["downslope"]) == (smoothing is not None)
    if class_weight or smoothing:
        assert code["scikit-learn"] is None
    if smoothing and loss.endswith("hinge"):
        return  # such a contender does not run
    compile(code["pytorch"], "pasted", "exec")
    smoothed = "label_smoothing=0.1)" if several else "target = 0.9 * target + 0.05"
    assert (smoothed in code["pytorch"]) == bool(smoothing)
    assert ("weight[rows]" in code["pytorch"]) == bool(class_weight)


def test_pytorch_weighs_and_smooths_as_we_do():
    pytest.importorskip("torch")
    rng = np.random.default_rng(0)
    for name, ours, classes in (("binary_cross_entropy", BinaryCrossEntropy(), 2), ("cross_entropy", CrossEntropy(), 3)):
        x, y = rng.normal(size=(30, 3)).astype(np.float32), rng.integers(0, classes, 30)
        options = {"class_weight": "balanced", "label_smoothing": 0.2, "classes": list("abc")[:classes], "model": "linear"}
        given = result(name, "sgd", budget={"epochs": 1, "batch": 32}, **options)
        given["contenders"][0]["settings"]["learning_rate"] = 0.0
        code = paste(given)["pytorch"].replace("init.zeros_(model[0].weight", "init.normal_(model[0].weight")
        space = run(code, x, y)
        raw = space["score"].numpy()  # of the first step too: the learning rate is 0
        exact = ours.reduce(raw, y.astype(np.int32), class_weight="balanced", label_smoothing=0.2)
        assert float(space["cost"].detach()) == pytest.approx(float(exact), rel=1e-5)


def test_from_the_command_line_to_the_result_and_back(tmp_path):
    """One run with both: the plan, result, report and code say so, and other weights are another comparison."""
    place = small.write(tmp_path / "dear.csv", small.only(*small.LABELLED))
    line = ["compare", str(place), "--target", "dear", "--losses", "bce, hinge", "--optimizers", "sgd(learning_rate=0.02)"]
    line += ["--model", "linear", "--epochs", "3", "--seeds", "5", "--out", str(tmp_path / "out"), "--label-smoothing", "0.1"]
    done = CliRunner().invoke(cli, [*line, "--class-weight", "no=1, yes=5"])
    assert done.exit_code == 0, done.stderr
    plan = " ".join(done.stderr.split())
    assert "rows to learn from weigh by class: no=1, yes=5; judging does not" in plan
    assert "labels to learn from share 0.1 of themselves evenly among all classes" in plan
    data = json.loads((tmp_path / "out" / "result.json").read_text())
    assert (data["class_weight"], data["label_smoothing"]) == ("no=1, yes=5", 0.1)
    assert "--class-weight 'no=1, yes=5' --label-smoothing 0.1" in data["command"]
    assert "--class-weight 'no=1, yes=5'" in commands(data | {"command": None})["repeat"]
    entries = {entry["loss"]: entry for entry in data["contenders"]}
    assert (entries["hinge"]["status"], "takes no smoothed labels" in entries["hinge"]["reason"]) == ("incompatible", True)
    assert "class_weight='no=1, yes=5',\n    label_smoothing=0.1," in data["recommendation"]["code"]["downslope"]
    shown = dict(settings_of_report(data)["facts"])
    assert shown["Class weights"] == "no=1, yes=5, while learning, not while judging"
    assert shown["Label smoothing"] == "0.1, while learning"
    other = CliRunner().invoke(cli, [*line, "--class-weight", "balanced"])
    assert other.exit_code == 2 and 'class_weight: "no=1, yes=5", now "balanced"' in other.stderr
    for option, words in (("--class-weight", "even"), ("--label-smoothing", "1")):
        refused = CliRunner().invoke(cli, [*line, option, words])
        assert refused.exit_code == 2 and len(refused.stderr.strip().splitlines()) <= 3


def test_heavier_classes_are_predicted_more_often(tmp_path):
    """The whole way: what the weights are for."""
    from downslope import train

    whole = small.only("size", "dear")
    options = {"loss": "bce", "optimizer": "sgd(learning_rate=0.3)", "model": "linear", "epochs": 5, "seeds": 2}
    share = []
    for place, weights in enumerate((None, {"yes": 9.0})):
        found = train(whole, "dear", class_weight=weights, out=tmp_path / str(place), **options)
        share.append(np.mean(np.array(found.model.predict(whole)) == "yes"))
    assert share[1] > share[0] + 0.2


def test_a_new_amount_is_the_same_program():
    from tests.training.problems import recipe

    first, second, none = (recipe()._replace(label_smoothing=amount) for amount in (0.1, 0.2, None))
    assert jax.tree.structure(first) == jax.tree.structure(second) != jax.tree.structure(none)
