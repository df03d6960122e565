"""The code to paste runs, says why where a framework lacks something, and converts what differs between conventions."""

import ast
import importlib.util
import warnings
from types import SimpleNamespace

import jax
import numpy as np
import pytest
from sklearn.base import clone
from sklearn.datasets import load_diabetes

from downslope import losses, models, optimizers, penalties, schedules
from downslope.comparison import paste_frame, paste_keras, paste_optax, paste_pytorch
from downslope.comparison.paste import FRAMEWORKS, lacking, paste
from downslope.comparison.paste_sklearn import LINEAR_LOSSES, NETWORK_LOSSES, NETWORK_OPTIMIZERS
from downslope.core.about import Task
from tests.comparison import pasted
from tests.comparison.pasted import CASES, result, table

LOOPS = {"pytorch": paste_pytorch, "keras": paste_keras, "optax": paste_optax}
CLIPS = {"pytorch": "norm_(model.parameters(), 0.5)", "keras": "global_clipnorm=0.5)", "optax": "clip_by_global_norm(0.5)"}
MODULES = {"pytorch": "torch", "keras": "keras", "optax": "optax"}
PAIRS = [(loss, optimizer) for loss in losses.catalogue for optimizer in ("adam", "sgd")]
PAIRS += [(loss, optimizer) for optimizer in optimizers.catalogue for loss in ("squared_error", "cross_entropy")]
PAIRS = sorted(set(PAIRS))
OPTIONS = [
    {},
    {"model": "linear", "schedule": "constant", "class_weight": "balanced"},
    {"model": "mlp(widths=[8, 4], dropout=0.1)", "schedule": "cosine(end=0.1, warmup=0.1)", "clip_norm": 0.5},
    {"penalty": "l2(strength=0.01, charged='everything')", "label_smoothing": 0.1},
    {"model": "linear", "penalty": "l1(strength=0.01)", "average": "uniform_averaging(start=0.5)"},
    {"standardize": False},
]


def run(code, x, y):
    space = {"X": x, "y": y}
    with warnings.catch_warnings(), jax.numpy_rank_promotion("allow"):  # the tests forbid what people do
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


def settings_known(tree):
    """The keyword arguments of every call, by the last name of what is called."""
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call)]
    return {
        (ast.unparse(call.func).rpartition(".")[2], word.arg): ast.unparse(word.value) for call in calls for word in call.keywords
    }


@pytest.mark.parametrize("framework", LOOPS)
@pytest.mark.parametrize("options", OPTIONS, ids=lambda options: ",".join(options) or "plain")
def test_every_program_is_python_with_nothing_left_to_fill_in(framework, options):
    written = 0
    for loss, optimizer in PAIRS:
        given = result(loss, optimizer, **options)
        code, reason = paste(given)[framework], lacking(given).get(framework)
        assert (code is None) == (reason is not None), (loss, optimizer)
        if code is None:
            assert reason and "{" not in reason
            continue
        written += 1
        assert "{" not in code.replace('{"params"', ""), (loss, optimizer)
        ast.parse(code)
        assert "epochs, batch = 3, " in code and "factor(step)" in code
        assert not options.get("clip_norm") or CLIPS[framework] in code
    assert written > 10 or (framework == "keras" and "average" in options)


@pytest.mark.parametrize("loss", ["huber", "binary_cross_entropy", "crammer_singer_hinge"])
@pytest.mark.parametrize("framework", LOOPS)
def test_programs_run_where_the_framework_is(framework, loss):
    if importlib.util.find_spec(MODULES[framework]) is None:
        pytest.skip(f"{framework} is not installed")
    for options in OPTIONS:
        classes = {"class_weight": None, "label_smoothing": 0.0} if loss == "huber" else {}
        code = paste(result(loss, "adamw", **options | (classes if loss != "binary_cross_entropy" else {})))[framework]
        if code is not None:
            space = run(code, *table(losses.catalogue[loss].about.task))
            assert np.isfinite(np.asarray(space["prediction"])).all()
            assert np.asarray(space["prediction"]).shape == (90,)


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case[0]}-{case[1]}-{len(case[2])}{len(case[3])}")
def test_optax_ends_where_our_own_parts_end(case):
    found = pasted.theirs("optax", case)
    if found is None:
        assert lacking(pasted.made(*case))["optax"]
        return
    np.testing.assert_allclose(found, pasted.ours(*case), rtol=2e-5, atol=2e-5)


def test_learning_rates_fall_in_the_same_way():
    for text in ("constant", "constant(warmup=0.2)", "cosine(end=0.1)", "linear", "linear(end=0.2, warmup=0.1)"):
        code = paste(result("huber", "adamw", schedule=text))["optax"]
        space = {"steps": 50, "math": __import__("math")}
        exec(compile(code[code.index("def factor") : code.index("def model")], "pasted", "exec"), space)
        ours = schedules.catalogue.parse(text)
        for step in (0, 3, 20, 49):
            assert space["factor"](step) == pytest.approx(float(ours(step, 50)), rel=1e-5)


@pytest.mark.parametrize("loss", sorted(paste_frame.STARTS))
def test_the_last_bias_starts_at_the_best_constant(loss):
    about = losses.catalogue[loss].about
    more = {} if about.task is Task.REGRESSION else {"class_weight": "balanced"}
    code = paste(result(loss, "sgd", {"positive_weight": 2.0} if loss == "binary_cross_entropy" else {}, **more))
    text = code["pytorch"] or code["optax"]
    if text is None:
        return
    x, y = table(about.task)
    space = {"X": x, "y": y, "np": np, "math": __import__("math")}
    exec(compile(text[text.index("# X:") : text.index("epochs, batch")], "pasted", "exec"), space)
    ours = losses.catalogue[loss]()
    ours = ours.replace(positive_weight=2.0) if loss == "binary_cross_entropy" else ours
    wanted = ours.best_constant(np.asarray(space["target"]), space.get("weight"), 3 if about.task is Task.MULTICLASS else 2)
    np.testing.assert_allclose(np.ravel(space["start"]), wanted, atol=1e-4)


def test_what_is_converted_for_keras():
    plain = paste(result("binary_cross_entropy", "rmsprop", {"epsilon": 1e-4}))["keras"]
    assert settings_known(ast.parse(plain))["RMSprop", "epsilon"] == "1e-08" and "epsilon under the root" in plain
    inside = paste(result("squared_error", "rmsprop", {"epsilon": 1e-4, "epsilon_inside": True}))["keras"]
    assert settings_known(ast.parse(inside))["RMSprop", "epsilon"] == "0.0001" and "under the root" not in inside
    known = settings_known(ast.parse(paste(result("binary_cross_entropy", "adamw", label_smoothing=0.1))["keras"]))
    assert (known["BinaryCrossentropy", "from_logits"], known["exclude_from_weight_decay", "var_names"]) == ("True", "['bias']")
    weighed = paste(result("cross_entropy", "sgd", class_weight="balanced", label_smoothing=0.1))["keras"]
    known = settings_known(ast.parse(weighed))
    assert known["CategoricalCrossentropy", "reduction"] == "'mean_with_sample_weight'"
    assert known["CategoricalCrossentropy", "label_smoothing"] == "0.1" and known["fit", "sample_weight"] == "weight"
    assert "target = 2 * target - 1" in paste(result("hinge", "sgd"))["keras"]
    assert (
        "kernel_regularizer=keras.regularizers.L2(0.3 / 2)" in paste(result("hinge", "sgd", penalty="l2(strength=0.3)"))["keras"]
    )


def test_every_reason_names_what_is_missing():
    def reason(framework, loss="squared_error", optimizer="adam", own=None, **more):
        return lacking(result(loss, optimizer, own, **more)).get(framework)

    assert reason("keras", optimizer="momentum") == (
        "it stores the velocity multiplied by the learning rate, which is another rule where the rate changes"
    )
    assert reason("keras", optimizer="momentum", schedule="constant") is None
    assert "another loss" in reason("keras", loss="crammer_singer_hinge")
    assert "average" in reason("keras", average="exponential_averaging(decay=0.9)")
    assert "positive_weight" in reason("optax", "binary_cross_entropy", own={"positive_weight": 2.0})
    assert "epsilon_inside=False" in reason("pytorch", optimizer="rmsprop", own={"epsilon_inside": True})
    assert reason("optax", optimizer="rmsprop", own={"epsilon_inside": True}) is None
    for framework in FRAMEWORKS:
        assert reason(framework, schedule="learning_rate=cosine, momentum=linear(end=0.5)") == "several settings follow schedules"
        assert reason(framework, own={}, asked={"weight": "importance"}) == "rows have weights"
        mine = {"loss": {"code": "'mine.py'", "path": "mine.py"}, "optimizer": {"code": "make", "path": None}}
        assert reason(framework, contenders=[result("squared_error", "adam")["contenders"][0] | {"own": mine}]) == (
            "the loss and the optimizer are your own"
        )
    assert reason("optax", schedule="one_cycle") == "its schedule is one_cycle"
    assert reason("scikit-learn", clip_norm=1.0) == "it clips no gradients"


AVERAGES = [("uniform_averaging(start=0.5)", 25), ("uniform_averaging(start=10)", 10), ("exponential_averaging(decay=0.9)", 0)]


@pytest.mark.parametrize(("average", "first"), AVERAGES)
def test_pytorch_clips_and_averages(average, first):
    code = paste(result("huber", "momentum", clip_norm=0.5, average=average))["pytorch"]
    compile(code, "pasted", "exec")
    after, before = code.index("cost.backward()"), code.index("optimizer.step()")
    assert after < code.index("torch.nn.utils.clip_grad_norm_(model.parameters(), 0.5)") < before
    line = next(line for line in code.splitlines() if line.startswith("average, done, first = "))
    seen = {}

    class Averaged:
        def __init__(self, model, avg_fn=None):
            seen["rule"] = avg_fn or (lambda old, new, count: old + (new - old) / (count + 1))

    torch = SimpleNamespace(optim=SimpleNamespace(swa_utils=SimpleNamespace(AveragedModel=Averaged)))
    space = {"steps": 50, "torch": torch, "model": None}
    exec(compile(line, "pasted", "exec"), space)
    assert space["first"] == first
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
    loops = LOOPS.values()
    assert set().union(*(loop.LOSSES for loop in loops)) | set(LINEAR_LOSSES) | NETWORK_LOSSES <= set(losses.catalogue)
    assert set().union(*(loop.LOSSES for loop in loops)) <= set(paste_frame.STARTS)
    assert set().union(*(loop.OPTIMIZERS for loop in loops)) | NETWORK_OPTIMIZERS <= set(optimizers.catalogue)
    for name, settings in [pair for loop in loops for pair in loop.ONLY.items()]:
        assert set(settings) <= set(optimizers.catalogue[name]().values())
    assert set(paste_frame.PENALTIES) - {""} <= set(penalties.catalogue)
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
    asked = {"drop": ["id"], "weight": "importance", "split": "time:sold_on"}
    code = paste(result("huber", "adam", source="sales.csv", asked=asked))["downslope"]
    assert "    drop=['id'],\n    weight='importance',\n    split='time:sold_on'," in code


def test_numbers_that_stay_as_they_are_are_not_scaled_in_the_code_either():
    for loss in ("squared_error", "cross_entropy"):
        plain, usual = (paste(result(loss, "adam", **more)) for more in ({"standardize": False}, {}))
        assert "    standardize=False,\n" in plain["downslope"] and "standardize" not in usual["downslope"]
        assert "StandardScaler" in usual["scikit-learn"] and "StandardScaler" not in plain["scikit-learn"]
        assert "numbers in their own units" in plain["pytorch"] and "mean 0 and variance 1" in usual["pytorch"]


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
