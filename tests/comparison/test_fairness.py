"""The same chance for everyone: runs, seeds, updates, initial weights, batches, and rows that chose nothing."""

import hashlib

import jax
import numpy as np
import pytest

import downslope
from downslope.comparison import compare as comparing
from downslope.training.program import Program
from tests.comparison import small

OPTIONS = {
    "target": "price",
    "losses": "squared_error",
    "model": "mlp(widths=[8])",
    "epochs": 4,
    "draws": 2,
    "seeds": 6,
    "reasons": False,
}


class Seen:
    """What the programs of a comparison were given: for each optimizer and (seed, update) the batches and the initial weights."""

    def __init__(self) -> None:
        self.batches: dict[str, dict[tuple[int, int], str]] = {}
        self.weights: dict[str, dict[tuple[int, int], str]] = {}
        self.runner = None

    def note(self, recipe, carry, data) -> None:
        name = recipe.optimizer.name
        steps, seeds = np.asarray(carry.step), np.asarray(carry.seed)
        inner = [jax.device_get(layer["weight"]) for layer in carry.params["layers"]]
        for device, block in np.ndindex(*seeds.shape):
            key = (int(seeds[device, block]), int(steps[device, block]))
            self.batches.setdefault(name, {})[key] = digest(np.asarray(part[device]) for part in data)
            if key[1] == 0:
                self.weights.setdefault(name, {})[key] = digest(weight[device, block] for weight in inner)


def digest(arrays) -> str:
    return hashlib.sha256(b"".join(np.ascontiguousarray(array).tobytes() for array in arrays)).hexdigest()


@pytest.fixture(scope="module")
def seen():
    """A comparison of two mini-batch methods and gradient descent, watched."""
    seen = Seen()
    start, runner = Program.start, comparing.Runner

    def watched(self, recipe, carry, total, data, *others):
        seen.note(recipe, carry, data)
        return start(self, recipe, carry, total, data, *others)

    class Watched(runner):
        def __init__(self, *args, **keywords) -> None:
            super().__init__(*args, **keywords)
            seen.runner = self
            seen.runs = []

        def close(self) -> None:
            seen.runs = self.ledger.runs()
            super().close()

    patch = pytest.MonkeyPatch()
    with patch.context() as place:
        place.setattr(Program, "start", watched)
        place.setattr(comparing, "Runner", Watched)
        downslope.compare(small.only(*small.PLAIN), optimizers="gradient_descent, sgd, adam", **OPTIONS)
    return seen


def contender(seen, name):
    return [run for run in seen.runs if run.contender == f"squared_error × {name}"]


def fits(runs, phase):
    return sorted((run.fit, run.seed) for run in runs if run.phase == phase)


def test_everyone_confirms_on_the_same_fits_with_the_same_seeds(seen):
    first = fits(contender(seen, "sgd"), "confirmation")
    assert len(first) == OPTIONS["seeds"] == len(set(first))
    for other in ("adam", "gradient_descent"):
        assert fits(contender(seen, other), "confirmation") == first


def test_everyone_tries_as_many_rates_on_the_same_tuning_fits(seen):
    pairs = []
    for name in ("sgd", "adam", "gradient_descent"):
        tuned = [run for run in contender(seen, name) if run.phase == "tuning"]
        grid = {entry.optimizer.name: entry.rates for entry in seen.runner.contenders}[name]
        assert len(grid) == OPTIONS["draws"] and {run.learning_rate for run in tuned} >= set(grid)
        first = [run for run in tuned if run.learning_rate in grid]
        assert len(first) == 2 * OPTIONS["draws"]
        pairs.append(sorted({(run.fit, run.seed) for run in tuned}))
        # A grid that was extended got whole rates: two runs each.
        assert len(tuned) == 2 * len({run.learning_rate for run in tuned})
    assert pairs[0] == pairs[1] == pairs[2] and len(pairs[0]) == 2


def test_nobody_gets_more_updates_or_examples(seen):
    assert {run.updates for name in ("sgd", "adam") for run in contender(seen, name)} == {4 * 4}
    assert {run.updates for run in contender(seen, "gradient_descent")} == {4}


def test_under_one_seed_everyone_starts_from_the_same_weights(seen):
    mine, twins = seen.weights["adam"], {run.seed for run in seen.runs if run.contender.endswith("(twin)")}
    assert len(set(mine.values())) == len(mine) >= OPTIONS["seeds"] + 2, "other seeds, other weights"
    for other in ("sgd", "gradient_descent"):
        theirs = {key: value for key, value in seen.weights[other].items() if key[0] not in twins}
        assert theirs == {key: value for key, value in mine.items() if key[0] not in twins}


def test_under_one_seed_everyone_sees_the_same_batches_in_the_same_order(seen):
    twins = {run.seed for run in seen.runs if run.contender.endswith("(twin)")}
    mine, theirs = ({key: value for key, value in seen.batches[name].items() if key[0] not in twins} for name in ("adam", "sgd"))
    assert mine == theirs and len(set(mine.values())) == len(mine) >= OPTIONS["seeds"] + 2


def test_the_twin_has_the_same_splits_and_seeds_of_its_own(seen):
    (twin,) = [one for one in seen.runner.contenders if one.twin_of is not None]
    theirs = [run for run in seen.runs if run.contender == twin.id]
    own = [run for run in seen.runs if run.contender == twin.twin_of]
    assert {run.fit for run in theirs} == {run.fit for run in own}
    assert len(theirs) and {run.seed for run in theirs}.isdisjoint({run.seed for run in seen.runs if run.contender != twin.id})


def test_judged_rows_choose_nothing_and_test_rows_are_in_no_fit(seen):
    problem = seen.runner.problem
    test = set(problem.splits.test.tolist())
    for fit in problem.fits:
        train, stop, judge = (set(rows.tolist()) for rows in (fit.train, fit.stop, fit.judge))
        assert not (train & stop or train & judge or stop & judge)
        assert not test & (train | stop | judge)
        assert len(train | stop | judge) == len(problem.splits.development) == 160


def test_what_the_engine_learned_from_are_the_rows_of_the_split_and_no_others(seen):
    problem = seen.runner.problem
    (trainer,) = seen.runner.trainers.values()
    price = problem.dataset.y
    for fit, fold in zip(problem.firsts, trainer.folds, strict=True):
        rows = problem.fits[fit]
        loss = seen.runner.contenders[0].loss
        scale = problem.scale(fit, loss)
        for values, wanted in ((fold.y, rows.train), (fold.stop_y, rows.stop)):
            np.testing.assert_allclose(values * scale.scale + scale.centre, price[wanted], rtol=1e-5)
            assert len(set(price.tolist())) > 190, "prices tell rows apart"
        # The encoder was fitted on the training rows: there each number has mean 0.
        np.testing.assert_allclose(fold.x[:, 0].mean(), 0, atol=1e-5)


def test_the_test_rows_change_nothing_but_the_test(tmp_path):
    table = small.only(*small.PLAIN)
    options = OPTIONS | {"optimizers": "adam(learning_rate=0.05)", "seeds": 2}
    first = downslope.compare(table, out=tmp_path / "first", **options)
    rows = small.problem(table).splits.test
    for row in rows:  # within its tenth of the prices, so that the stratified split is the same
        table["size"][row] += 100.0
    second = downslope.compare(table, out=tmp_path / "second", **options)
    assert first.data["contenders"] == second.data["contenders"]
    assert first.data["test"] != second.data["test"]
    model = "model/model.safetensors"
    assert (tmp_path / "first" / model).read_bytes() == (tmp_path / "second" / model).read_bytes()
