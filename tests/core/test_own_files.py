"""Files of the user's own: what may stand for a name, what is run and when, and how mistakes are told."""

import sys
import textwrap

import numpy as np
import pytest

from downslope import losses, models, optimizers
from downslope.comparison import trial
from downslope.core import own
from downslope.core.errors import DownslopeError, UnknownName

LOSS = textwrap.dedent("""
    import jax.numpy as jnp

    def loss(raw, target, delta=1.0):
        \"\"\"For targets with a few wild values.\"\"\"
        return jnp.sqrt((raw - target) ** 2 + delta**2) - delta
""")
CLASS = textwrap.dedent('''
    import numpy as np
    from downslope.core.about import AboutLoss, Task
    from downslope.losses.base import Loss

    class Mine(Loss):
        """Words."""

        about = AboutLoss(title="Mine", equation="", source=None, task=Task.REGRESSION)

        def __call__(self, raw, target):
            return (raw - target) ** 2

        def best_constant(self, target, weight=None, classes=None):
            return np.array([np.mean(target)])
''')
OPTIMIZER = textwrap.dedent("""
    import jax

    learning_rates = (1e-3, 1.0)

    class Plain:
        def __init__(self, rate, sign):
            self.rate, self.sign = rate, sign

        def init(self, params):
            return ()

        def update(self, gradient, state, params=None):
            return jax.tree.map(lambda g: self.sign * self.rate * g, gradient), state

    def optimizer(learning_rate, sign=-1):
        return Plain(learning_rate, sign)
""")
MODEL = textwrap.dedent("""
    import jax
    import jax.numpy as jnp

    def init(key, features, outputs, width=4):
        return {"w": jax.random.normal(key, (features, width)), "out": [jnp.zeros((width, outputs)), jnp.zeros(outputs)]}

    def apply(params, x):
        return jnp.tanh(x @ params["w"]) @ params["out"][0] + params["out"][1][None]
""")


def write(folder, text, name="mine.py"):
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text.lstrip(), encoding="utf-8")
    return path


# What may stand for a name


def test_a_path_stands_where_a_name_stands(tmp_path):
    path = write(tmp_path, LOSS)
    for given in (str(path), path, f"{path}()", f" {path} (delta=1.0)"):
        assert losses.catalogue.make(given).values() == {"delta": 1.0}
    softer = losses.catalogue.make(f"{path}(delta=2)")
    assert softer.delta == 2 and softer.name == "mine.py"
    np.testing.assert_allclose(softer(np.float32([3.0]), np.float32([0.0])), [13**0.5 - 2], rtol=1e-6)


def test_a_path_may_have_blanks_and_quotes_and_stand_inside_another_entry(tmp_path):
    path = write(tmp_path / "my own", OPTIMIZER, "plain steps.py")
    wrapped = optimizers.catalogue.make(f"sam({path}(learning_rate=0.5), radius=0.1)")
    assert (wrapped.optimizer.name, wrapped.optimizer.learning_rate, wrapped.radius) == ("plain steps.py", 0.5, 0.1)
    assert optimizers.catalogue.make(f"{str(path)!r}(sign=-2)").sign == -2


def test_a_home_folder_may_be_written_short(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    write(tmp_path, LOSS)
    assert losses.catalogue.make("~/mine.py").name == "mine.py"


def test_a_class_and_functions_do_the_same(tmp_path):
    made = losses.catalogue.make(write(tmp_path, CLASS))
    assert (made.name, made(np.float32([2.0]), np.float32([0.0])).tolist()) == ("mine.py", [4.0])
    assert models.catalogue.make(f"{write(tmp_path, MODEL, 'm.py')}(width=3)").values() == {"width": 3}


def test_what_a_function_need_not_say_is_filled_in(tmp_path):
    text = LOSS.replace("def loss", 'task, link = "binary", "sigmoid"\n\ndef loss')
    about = losses.catalogue.make(write(tmp_path, text)).about
    assert (about.task, about.link, about.probabilities, about.target_scale) == ("binary", "sigmoid", True, "none")
    rates = optimizers.catalogue.make(write(tmp_path, OPTIMIZER, "o.py")).settings()["learning_rate"].search
    assert (rates.low, rates.high, rates.scale) == (1e-3, 1.0, "log")


@pytest.mark.parametrize(
    ("formula", "target", "best"),
    [
        ("(raw - target) ** 2", [0.0, 1.0, 5.0], [2.0]),
        ("jnp.abs(raw - target)", [0.0, 1.0, 5.0], [1.0]),
        ("jnp.abs(raw - target)", [2.0, 2.0, 2.0], [2.0]),
    ],
)
def test_the_best_constant_of_a_function_is_found(tmp_path, formula, target, best):
    made = losses.catalogue.make(write(tmp_path, f"import jax.numpy as jnp\ndef loss(raw, target):\n    return {formula}\n"))
    assert made.best_constant(np.array(target)) == pytest.approx(best, abs=1e-3)


@pytest.mark.parametrize("name", ["binary_cross_entropy", "cross_entropy"])
def test_the_best_constants_of_classes_are_those_that_we_compute(name):
    ours = losses.catalogue[name]()

    def loss(raw, target):
        return ours(raw, target)

    loss.task = str(ours.about.task)
    several = name == "cross_entropy"
    target, weight = np.array([0, 1, 2 if several else 1, 1]), np.array([1.0, 2.0, 1.0, 1.0])
    classes = 3 if several else None
    mine = losses.catalogue.make(loss).best_constant(target, weight, classes)
    wanted = ours.best_constant(target, weight, classes)
    np.testing.assert_allclose(mine - mine.mean() * several, wanted - wanted.mean() * several, atol=2e-3)


# What is run, and when


def test_a_file_is_run_once_for_each_content(tmp_path):
    path = write(tmp_path, "import sys\nsys.own_runs = getattr(sys, 'own_runs', 0) + 1\n" + LOSS)
    try:
        for _ in range(3):
            losses.catalogue.make(path)
        assert sys.own_runs == 1
        path.write_text(path.read_text().replace("** 2", "** 4"))
        assert losses.catalogue.make(path)(np.float32([2.0]), np.float32([0.0])) > 3 and sys.own_runs == 2
        assert [entry.name for entry in tmp_path.iterdir()] == ["mine.py"], "nothing is left beside the user's file"
    finally:
        del sys.own_runs


def test_nothing_is_run_for_a_text_that_nobody_typed(tmp_path):
    """What stands in a result or a manifest is parsed without files."""
    path = write(tmp_path, "raise SystemExit('it was run')\n")
    with pytest.raises(UnknownName):
        losses.catalogue.parse(str(path))
    with pytest.raises(UnknownName):
        optimizers.catalogue.parse(f"sam({path})")


def test_a_file_of_ones_own_hides_none_of_ours(tmp_path):
    assert losses.catalogue.make(write(tmp_path, LOSS, "huber.py")).name == "huber.py"

    def huber(raw, target):
        return raw - target

    assert losses.catalogue.make(huber).name == "huber (own)"


# Mistakes

START = "import jax\nimport jax.numpy as jnp\nimport numpy as np\n"
MISTAKES = {
    "loss": [
        ("def loss(raw, target):\n    return raw -\n", "mine.py, line 5: invalid syntax"),
        ("x = 1 / 0\n", "mine.py, line 4: ZeroDivisionError: division by zero"),
        ("import no_such_module\n", "mine.py, line 4: ModuleNotFoundError: No module named 'no_such_module'"),
        ("import sys\nsys.exit(3)\n", "mine.py, line 5: SystemExit: 3"),
        ("x = 1\n", "expected one finished class of Loss, or a function loss(raw, target); it holds neither"),
        ("def loss(raw):\n    return raw\n", "mine.py, line 4: it will be called as loss(raw, target)"),
        ("def loss(raw, target, *, delta):\n    return raw\n", "line 4: it will be called as loss(raw, target): missing"),
        ("def loss(raw, target):\n    return jnp.mean(raw - target)\n", "expected one loss for each example, (6,), got ()"),
        ("def loss(raw, target):\n    return (raw > target).astype(int)\n", "line 4: expected losses that are floating-point"),
        ("def loss(raw, target):\n    return jnp.log(raw)\n", "line 4: its value is nan for the score -"),
        ("def loss(raw, target):\n    return jnp.sqrt(raw - raw) + raw\n", "line 4: its gradient is nan for the score"),
        ("def loss(raw, target):\n    return jnp.where(raw > target, 1.0, 0.0)\n", "its gradient is zero for every score"),
        ("def loss(raw, target):\n    return np.abs(raw - target)\n", "line 5: TracerArrayConversionError: "),
        ("def inside(x):\n    return x.none\n\ndef loss(raw, target):\n    return inside(raw)\n", "line 5: AttributeError"),
        ("task = 'ranking'\ndef loss(raw, target):\n    return raw\n", "unknown task 'ranking' in mine.py; known: binary"),
        ("link = 'softmax'\ndef loss(raw, target):\n    return raw\n", "unknown link 'softmax' for regression in mine.py"),
        (CLASS.replace("best_constant", "best"), "Mine (mine.py, line 9) lacks best_constant"),
        (CLASS.replace("about =", "other ="), "line 9: class Mine says nothing about itself; it needs `about`"),
        (CLASS + "\nclass Two(Mine):\n    pass\n", "holds 2: Mine (mine.py, line 9), Two (mine.py, line 20)"),
    ],
    "optimizer": [
        ("def optimizer():\n    return 3\n", "line 4: it will be called as optimizer(learning_rate): too many"),
        ("def optimizer(learning_rate):\n    return 3\n", "line 4: expected an optimizer with init and update, got 3"),
        ("def optimizer(rate):\n    if rate > 0:\n        return 3\n", "line 5: TracerBoolConversionError"),
        (OPTIMIZER.replace("self.rate * g", "jnp.sum(g)"), "the change has other shapes or types than the parameters"),
        (OPTIMIZER.replace("gradient), state", "gradient), 1.5"), "the state after an update has other shapes or types"),
        (OPTIMIZER.replace("self.rate * g", "g / 0"), "its first change is not finite at the learning rate 0.1"),
        (OPTIMIZER.replace("(1e-3, 1.0)", "(1.0, 1e-3)"), "learning_rates must be two numbers, 0 < low < high"),
    ],
    "model": [
        ("def init(key, features, outputs):\n    return jnp.zeros(3)\n", "it holds neither"),
        (MODEL.replace("(width, outputs)", "(width,)"), "mine.py, line 12: ValueError: "),
        (MODEL.replace("apply(params, x):", "apply(params, x):\n    return x[:, 0]"), "apply must give one score for each row"),
        (MODEL.replace("jnp.zeros(outputs)", "jnp.zeros(outputs, int)"), "init must give parameters of float32, got int32"),
        (MODEL.replace("tanh(x @", "tanh((x - x.mean(0)[None]) @").replace("(width, outputs))", "(width, outputs)) + 1"),
         "the scores of a row depend on the other rows"),
        (MODEL + "\ndef apply_numpy(params, x):\n    return x @ np.ones((3, 2))\n", "gives other scores than training"),
    ],
}  # fmt: skip


@pytest.mark.parametrize(("kind", "number"), [(kind, number) for kind in MISTAKES for number in range(len(MISTAKES[kind]))])
def test_mistakes_are_one_clear_line(in_empty_folder, kind, number):
    text, told = MISTAKES[kind][number]
    write(in_empty_folder, START + text)
    with pytest.raises(DownslopeError) as caught:
        if kind == "loss":
            trial.try_loss(losses.catalogue.make("mine.py"), np.linspace(-2, 2, 6, dtype=np.float32), None)
        elif kind == "optimizer":
            made = optimizers.catalogue.make("mine.py")
            trial.try_optimizer(made, {"w": np.ones((3, 2), np.float32)}, 0.1)
        else:
            trial.try_model(models.catalogue.make("mine.py"), 3, 2)
    message = str(caught.value)
    assert told in message and "\n" not in message and "mine.py" in message
    assert len(message) < 400


def test_a_file_that_is_not_there(in_empty_folder):
    with pytest.raises(DownslopeError, match=r"cannot read \./no\.py: No such file or directory; a Python file of your own"):
        losses.catalogue.make("./no.py")


def test_a_failed_file_is_tried_again(tmp_path):
    path = write(tmp_path, "import absent_for_now\n" + LOSS)
    for _ in range(2):
        with pytest.raises(own.OwnFileError, match="absent_for_now"):
            losses.catalogue.make(path)


@pytest.mark.parametrize("text", [LOSS, OPTIMIZER, MODEL])
def test_good_files_pass_their_trial(tmp_path, monkeypatch, text):
    path, refused = write(tmp_path, text), []
    monkeypatch.setattr(trial, "refuse", lambda record, why: refused.append(why))
    if text is LOSS:
        trial.try_loss(losses.catalogue.make(path), np.linspace(-2, 2, 6, dtype=np.float32), None)
    elif text is OPTIMIZER:
        trial.try_optimizer(optimizers.catalogue.make(path), {"w": np.ones((3, 2), np.float32)}, 0.1)
    else:
        trial.try_model(models.catalogue.make(path), 3, 2)
    assert refused == []
