"""The code to paste runs, says None where a framework lacks something, and converts what differs between conventions."""

import importlib.util
import warnings
from types import SimpleNamespace

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.datasets import load_diabetes

from downslope import losses, models, optimizers, penalties, schedules
from downslope.comparison.paste import paste
from downslope.comparison.paste_pytorch import LOSSES as TORCH_LOSSES
from downslope.comparison.paste_pytorch import OPTIMIZERS as TORCH_OPTIMIZERS
from downslope.comparison.paste_pytorch import PENALTIES
from downslope.comparison.paste_sklearn import LINEAR_LOSSES, NETWORK_LOSSES, NETWORK_OPTIMIZERS
from downslope.core.about import Task

PAIRS = [(loss, optimizer) for loss in losses.catalogue for optimizer in ("adam", "sgd")]
PAIRS += [(loss, optimizer) for optimizer in optimizers.catalogue for loss in ("squared_error", "cross_entropy")]
PAIRS = sorted(set(PAIRS))


def result(loss, optimizer, **more):
    """As much of a result as code is made from."""
    task = losses.catalogue[loss].about.task
    settings = {**losses.catalogue[loss]().values(), **optimizers.catalogue[optimizer]().values(), "learning_rate": 0.01}
    batch = "full" if optimizers.catalogue[optimizer].about.batch == "full" else more.pop("rows", 32)
    return {
        "source": "demo:diabetes",
        "target": "target",
        "task": str(task),
        "classes": {Task.REGRESSION: None, Task.BINARY: ["no", "yes"], Task.MULTICLASS: ["a", "b", "c"]}[task],
        "metric": {"name": "rmse"},
        "budget": {"epochs": 3, "batch": 32},
        "model": "mlp(widths=[8, 4])",
        "schedule": "linear",
        "penalty": None,
        "target_scale": {"centre": 2.0, "scale": 3.0} if task is Task.REGRESSION else None,
        "seed": 1,
        "contenders": [{"id": "a", "loss": loss, "optimizer": optimizer, "settings": settings, "batch": batch}],
        "recommendation": {"id": "a"},
    } | more


def table(task):
    rng = np.random.default_rng(0)
    x = rng.normal(size=(90, 3)).astype(np.float32)
    if task is Task.REGRESSION:
        return x, (2 + 3 * x[:, 0]).astype(np.float32)
    return x, np.digitize(x[:, 0], [0] if task is Task.BINARY else [-0.5, 0.5])


def run(code, x, y):
    space = {"X": x, "y": y}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # scikit-learn says that three epochs are few
        exec(compile(code, "pasted", "exec"), space)
    return space


@pytest.mark.parametrize("model", ["mlp(widths=[8, 4])", "linear"])
@pytest.mark.parametrize(("loss", "optimizer"), PAIRS)
def test_scikit_learn_runs_wherever_there_is_code(loss, optimizer, model):
    code = paste(result(loss, optimizer, model=model))["scikit-learn"]
    if code is None:
        assert loss not in NETWORK_LOSSES or optimizer not in NETWORK_OPTIMIZERS
        return
    x, y = table(losses.catalogue[loss].about.task)
    predicted = run(code, x, y)["model"].predict(x)
    assert predicted.shape == (90,)


@pytest.mark.parametrize("loss", sorted(LINEAR_LOSSES))
def test_scikit_learn_one_example_at_a_time(loss):
    code = paste(result(loss, "sgd", rows=1, model="linear", schedule="constant"))["scikit-learn"]
    x, y = table(losses.catalogue[loss].about.task)
    space = run(code, x, y)
    fitted = space["model"]
    assert np.isfinite(fitted.predict(x)).all()
    one = clone((fitted.regressor if hasattr(fitted, "regressor") else fitted).steps[-1][1])
    # One step from zero on one row is the learning rate times our own gradient, whatever each side calls its loss.
    import jax

    target = 1.0 if loss in ("binary_cross_entropy", "hinge") else 0.3
    row = np.array([[0.5, -1.0, 2.0]])
    one.set_params(shuffle=False, max_iter=1)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        other = [[0.0, 0.0, 0.0]] if target == 1.0 else np.zeros((0, 3))  # a classifier must see two classes
        one.fit(np.r_[row, other], np.r_[target, np.zeros(len(other))])
    ours = losses.catalogue[loss]()
    slope = jax.grad(lambda s: ours(s[None], jax.numpy.array([target]))[0])(jax.numpy.array(0.0))
    np.testing.assert_allclose(one.coef_.ravel(), -0.01 * float(slope) * row.ravel(), rtol=1e-5)


@pytest.mark.parametrize("model", ["mlp(widths=[8, 4], dropout=0.1)", "linear"])
@pytest.mark.parametrize(("loss", "optimizer"), PAIRS)
def test_pytorch_is_python_and_runs_where_pytorch_is(loss, optimizer, model):
    code = paste(result(loss, optimizer, model=model))["pytorch"]
    if code is None:
        assert loss not in TORCH_LOSSES or optimizer not in TORCH_OPTIMIZERS
        return
    compile(code, "pasted", "exec")
    assert "{" not in code.replace('{"params"', "")  # nothing was left to fill in
    if importlib.util.find_spec("torch"):
        x, y = table(losses.catalogue[loss].about.task)
        assert np.isfinite(run(code, x, y)["prediction"].numpy()).all()


@pytest.mark.parametrize("schedule", ["constant", "cosine(end=0.1)", "linear(warmup=0.1)"])
@pytest.mark.parametrize("penalty", [None, "l1(strength=0.01)", "l2(strength=0.01, charged='everything')"])
def test_pytorch_schedules_and_penalties(schedule, penalty):
    code = paste(result("huber", "adamw", schedule=schedule, penalty=penalty))["pytorch"]
    compile(code, "pasted", "exec")
    assert ("cost = cost + 0.01" in code) == (penalty is not None)
    space = {"steps": 50, "math": __import__("math")}
    start = code.index("def factor")
    exec(compile(code[start : code.index("schedule = ")], "pasted", "exec"), space)
    ours = schedules.catalogue.parse(schedule)
    for step in (0, 3, 20, 49):
        assert space["factor"](step) == pytest.approx(float(ours(step, 50)), rel=1e-5)


AVERAGES = [("uniform_averaging(start=0.5)", 25), ("uniform_averaging(start=10)", 10), ("exponential_averaging(decay=0.9)", 0)]


@pytest.mark.parametrize(("average", "first"), AVERAGES)
def test_pytorch_clips_and_averages(average, first):
    code = paste(result("huber", "momentum", clip_norm=0.5, average=average))["pytorch"]
    compile(code, "pasted", "exec")
    after, before = code.index("cost.backward()"), code.index("optimizer.step()")
    assert after < code.index("torch.nn.utils.clip_grad_norm_(model.parameters(), 0.5)") < before
    line = next(line for line in code.splitlines() if line.startswith("average, done, start = "))
    seen = {}

    class Averaged:
        def __init__(self, model, avg_fn=None):
            seen["rule"] = avg_fn or (lambda old, new, count: old + (new - old) / (count + 1))

    torch = SimpleNamespace(optim=SimpleNamespace(swa_utils=SimpleNamespace(AveragedModel=Averaged)))
    space = {"steps": 50, "torch": torch, "model": None}
    exec(compile(line, "pasted", "exec"), space)
    assert space["start"] == first
    # The rule that PyTorch would be given, on a path of numbers, against our own.
    ours, path, mean = optimizers.catalogue.parse(average).replace(optimizer=optimizers.Sgd(learning_rate=1.0)), [], None
    ours = ours.replace(start=float(first)) if "start" in ours.settings() else ours
    state = ours.init(np.zeros(()))
    for number in range(50):
        here = np.sin(number)
        _, state = ours.update(np.float32(0.0), state, np.float32(here))
        if number >= first:
            mean = here if mean is None else seen["rule"](mean, here, len(path))
            path.append(here)
            assert float(ours.evaluate_at(state, np.float32(here))) == pytest.approx(mean, abs=1e-5)
    assert paste(result("squared_error", "sgd", clip_norm=0.5))["scikit-learn"] is None
    assert paste(result("squared_error", "sgd", average=average))["scikit-learn"] is None
    if importlib.util.find_spec("torch"):
        x, y = table(Task.REGRESSION)
        assert np.isfinite(run(code, x, y)["prediction"].numpy()).all()


def test_names_and_settings_are_those_of_the_catalogues():
    assert set(TORCH_LOSSES) | set(LINEAR_LOSSES) | NETWORK_LOSSES <= set(losses.catalogue)
    assert set(TORCH_OPTIMIZERS) | NETWORK_OPTIMIZERS <= set(optimizers.catalogue)
    assert set(PENALTIES) - {""} <= set(penalties.catalogue)
    assert {"mlp", "linear"} <= set(models.catalogue)


def test_what_is_converted_for_scikit_learn():
    sgd = paste(result("squared_error", "sgd", penalty="l2(strength=0.1)"))["scikit-learn"]
    assert "learning_rate_init=0.02," in sgd  # of half the squared error
    assert "alpha=0.05 * min(32, len(X))," in sgd
    assert "learning_rate_init=0.01," in paste(result("squared_error", "adam"))["scikit-learn"]
    assert "batch_size=len(X)," in paste(result("squared_error", "gradient_descent"))["scikit-learn"]
    assert "keeps the learning rate constant" in sgd
    assert "RobustScaler(quantile_range=(25, 75), unit_variance=True)" in sgd


def test_what_other_frameworks_cannot_say():
    assert paste(result("huber", "adam"))["scikit-learn"] is None
    assert paste(result("squared_error", "adam", model="mlp(dropout=0.2)"))["scikit-learn"] is None
    assert paste(result("squared_error", "adam", penalty="l1"))["scikit-learn"] is None
    hat = result("squared_error", "adam")
    hat["contenders"][0]["settings"]["epsilon_hat"] = True
    assert paste(hat)["pytorch"] is None
    masked = result("squared_error", "adamw")
    masked["contenders"][0]["settings"]["decayed"] = "my_mask"
    assert paste(masked)["pytorch"] is None
    own = result("squared_error", "adam")
    own["contenders"][0]["loss"] = "my_own_loss"
    assert paste(own)["pytorch"] is None
    assert "my_own_loss" in paste(own)["downslope"]
    assert paste(result("squared_error", "adam", model="my_own_model(depth=3)"))["pytorch"] is None


def test_the_line_for_downslope():
    code = paste(result("huber", "adam", source="sales.csv", rows=1))["downslope"]
    assert "    'sales.csv',\n    target='target',\n    loss='huber',\n    optimizer='adam(learning_rate=0.01)@1'," in code
    assert "    table,\n" in paste(result("huber", "adam", source="table"))["downslope"]
    compile(code, "pasted", "exec")


def test_downslope_runs(in_empty_folder):
    short = result("huber", "adam", model="linear", budget={"epochs": 1, "batch": 32}, target="progression")
    rows = load_diabetes(as_frame=True).frame.rename(columns={"target": "progression"}).head(5)
    space = {"rows": rows}
    kept = paste(short)["downslope"].replace(
        "    target=", "    out='kept',\n    target=", 1
    )  # a test leaves no temporary folder
    exec(compile(kept, "pasted", "exec"), space)
    assert (in_empty_folder / "kept").is_dir()
    assert np.shape(space["predictions"])[0] == 5
