"""The arithmetic of the benchmarks, their eye on the neighbours, the protocol with their processes; no peer is needed."""

import doctest
import json
import os
import sqlite3
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from benchmarks import __main__ as command
from benchmarks import (
    card,
    compared,
    engine,
    figures,
    formulas,
    full_batch,
    growth,
    job,
    large_classes,
    losses,
    neighbours,
    peer,
    report,
    shapes,
    sizes,
    steps,
)
from benchmarks.workers import fit, pieces, waiting
from benchmarks.workers.in_jax import InJax
from downslope.losses import catalogue as loss_catalogue
from downslope.optimizers import Sgd

ROOT = Path(__file__).parent.parent
Process = neighbours.Process


@pytest.mark.parametrize(
    "module",
    [compared, engine, figures, full_batch, growth, job, losses, neighbours, shapes, steps, waiting],
    ids=lambda module: module.__name__,
)
def test_examples(module):
    outcome = doctest.testmod(module)
    assert outcome.attempted and not outcome.failed


def test_a_ratio_is_taken_alternation_by_alternation():
    # The machine was three times slower in the second alternation: for both.
    values = figures.ratios(peer=[10.0, 30.0, 11.0], ours=[2.0, 6.0, 2.0])
    assert figures.spread(values) == (5.0, 5.0, 5.5)
    with pytest.raises(ValueError, match="zip"):
        figures.ratios([1.0, 2.0], [1.0])


@pytest.mark.parametrize(
    ("least", "values", "met"),
    [
        (True, [5.0, 9.0, 1.0], True),
        (True, [4.9, 9.0, 1.0], False),
        (False, [5.0, 9.0, 1.0], True),
        (False, [5.1, 9.0, 1.0], False),
    ],
)
def test_the_median_decides_whether_a_target_is_met(least, values, met):
    figure = figures.Target("a", 5, "s", least).data(values)
    assert figure["met"] is met
    assert ("NOT MET" in figures.line(figure)) is not met
    assert (figure["median"], figure["low"], figure["high"]) == (sorted(values)[1], 1.0, 9.0)


def test_what_too_few_turns_leave_open_is_not_decided():
    values = [0.8, 0.9, 0.95, 0.97, 0.98, 0.99, 1.1, 1.2, 1.3]
    figure = figures.Target("a", 1.0).data(values)
    assert figure["met"] is False and figure["surely"] == (0.9, 1.2)
    assert figures.line(figure).endswith("not decided, 0.9 to 1.2 with 95 %")
    worse = figures.Target("a", 1.25).data(values)
    assert figures.line(worse).endswith("NOT MET")
    assert figures.surely([1.0] * 5) is None and figures.surely([]) is None


def test_the_true_median_lies_where_it_surely_does():
    """Drawn from a skewed distribution whose median is known."""
    draws = np.random.default_rng(0).exponential(size=(2_000, 21))
    inside = [low <= np.log(2) <= high for low, high in (figures.surely(list(row)) for row in draws)]
    assert 0.95 <= np.mean(inside) <= 0.99


def test_operations_are_those_that_the_compiler_counts():
    """Forward, both gradients, no gradient by the rows: XLA's own count of the products, without what is done by element."""
    problem, widths = sizes.Problem(rows=128, stop=0, columns=20, batch=128), (64, 64)

    def loss(params, x):
        for weight in params[:-1]:
            x = x @ weight
        return jnp.sum(x @ params[-1])

    ends = [problem.columns, *widths, 1]
    params = [jnp.ones(pair) for pair in pairwise(ends)]
    compiled = jax.jit(jax.grad(loss)).lower(params, jnp.ones((128, 20))).compile()
    counted = compiled.cost_analysis()["flops"]
    assert shapes.operations(problem, widths) == pytest.approx(counted, rel=0.03)


def test_without_a_bound_nothing_is_judged():
    figure = figures.Target("beside", None).data([2.0])
    assert figure["met"] is None and "met" not in figures.line(figure).lower()


def test_the_peer_counts_with_its_better_number_of_threads_and_as_many_lanes_as_it_can():
    micro = {
        engine.Case("pytorch", "mlp", 1, 1): [5.0, 5.0],
        engine.Case("pytorch", "mlp", 1, 2): [9.0, 4.0],
        engine.Case("pytorch", "linear", 1, 1): [1.0, 1.0],
        engine.Case("optax_loop", "mlp"): [3.0, 3.0],
        engine.Case("optax_loop", "mlp", 32): [2.0, 2.0],
    }
    assert engine.best_of(micro, "pytorch", "mlp", 32) == [5.0, 5.0]
    assert engine.best_of(micro, "optax_loop", "mlp", 32) == [2.0, 2.0]
    assert engine.best_of(micro, "optax_loop", "mlp", 1) == [3.0, 3.0]


def test_a_number_of_threads_is_ruled_out_only_against_its_own_kind():
    seconds = {
        engine.Case("pytorch", "mlp", 1, 1): 1.0,
        engine.Case("pytorch", "mlp", 1, 2): 50.0,
        engine.Case("pytorch", "linear", 1, 1): 0.3,
        engine.Case("pytorch", "linear", 1, 2): 0.5,
        engine.Case("ours", "mlp"): 0.01,
    }
    assert set(seconds) - set(engine.worthwhile(seconds)) == {engine.Case("pytorch", "mlp", 1, 2)}


def test_a_contender_is_asked_for_as_it_stands_in_the_result():
    one = {"loss": "huber", "optimizer": "adam", "settings": {"delta": 1.0, "learning_rate": None}, "batch": "full"}
    asked = job.request(one, epochs=5, seed=2)
    assert asked["batch"] is None and asked["settings"]["delta"] == 1.0 and asked["settings"]["learning_rate"] > 0


def test_every_job_has_a_table_a_promise_and_a_worker():
    for each in job.JOBS.values():
        assert each.rivals and all(rival.warm > 1 for rival in each.rivals)
        assert all((ROOT / "benchmarks" / "workers" / f"{rival.worker}.py").is_file() for rival in each.rivals)


@pytest.mark.parametrize("ties", [False, True])
def test_the_score_of_a_loop_is_the_metric_of_the_comparison(ties):
    from sklearn.metrics import roc_auc_score

    draw = np.random.default_rng(3)
    raw, truth = draw.normal(size=200), draw.integers(0, 2, size=200)
    empty = np.zeros(0)
    two = fit.Fit(*[empty] * 6, scale=empty)
    assert two.score(raw, truth) == pytest.approx(1 - roc_auc_score(truth, raw), abs=1e-12)
    number = fit.Fit(*[empty] * 6, scale=np.array([5.0, 2.0]))
    assert number.score(raw, 2 * raw + 6 + ties) == pytest.approx(1 + ties)


def test_without_a_card_one_line_says_so_and_the_code_is_2(monkeypatch, capsys):
    class NoCard:
        def __enter__(self):
            return self

        def __exit__(self, *problem):
            pass

        def ask(self, do):
            return {"platform": "cpu", "name": "cpu"}

    monkeypatch.setattr(card, "Peer", lambda *given, **more: NoCard())
    monkeypatch.setattr(sys, "argv", ["benchmarks", "--busy-ok", "card"])
    monkeypatch.delenv("QUICK", raising=False)
    monkeypatch.setattr(neighbours, "WINDOW", 0.0)
    assert command.main() == 2
    said = capsys.readouterr().err
    assert said.startswith("no GPU") and said.count("\n") == 1


def test_the_time_on_two_cores_comes_from_the_newest_report_that_has_it(tmp_path, monkeypatch):
    monkeypatch.setattr(card, "RESULTS", tmp_path)
    assert card.two_cores() is None
    for day, cores, seconds in ((1, 2, 40.0), (2, 2, 30.0), (3, 8, 10.0)):
        stored = {"machine": {"cores": cores}, "job": {"warm_seconds": [seconds]}}
        (tmp_path / f"2026-01-0{day}.json").write_text(json.dumps(stored))
    (tmp_path / "2026-01-04.json").write_text(json.dumps({"machine": {"cores": 2}}))
    assert card.two_cores() == 30.0


def test_deterministic_operations_are_asked_for_beside_what_the_caller_wants(monkeypatch):
    monkeypatch.setenv("XLA_FLAGS", "--xla_a=1")
    assert card.flags() == f"--xla_a=1 {card.DETERMINISTIC}"


def test_a_quick_look_meets_and_misses_nothing():
    figure = figures.Target("a", 5).data([1.0], earnest=False)
    assert figure["met"] is None and "NOT MET" not in figures.line(figure)


@pytest.mark.parametrize("size", [sizes.FULL, sizes.QUICK])
def test_every_target_has_its_cases(size):
    micro = {case: [1.0] for case in engine.cases(size)}
    for _, worker, model, lanes in engine.targets(size.lanes):
        assert engine.best_of(micro, worker, model, lanes) == [1.0]
        assert engine.Case("ours", model, lanes) in micro


def test_a_peer_that_is_not_accurate_sets_no_narrow_bound():
    seconds = {"ours": [2.0], "plain JAX": [1.0], "PyTorch compiled, 2 threads": [4.0]}
    case = losses.Case("cross_entropy", 10, 32_000)
    (fastest, once), (accurate, again) = losses.verdicts(case, seconds, {"ours": True, "plain JAX": False, "PyTorch": True})
    assert (fastest.bound, once) == (2.0, [2.0]) and "plain JAX" in fastest.name
    assert (accurate.bound, again) == (1.1, [0.5]) and "PyTorch compiled" in accurate.name
    assert not fastest.least and not accurate.least
    assert len(losses.verdicts(case, seconds, {"ours": True})) == 1


def test_every_loss_that_is_timed_has_a_peer_and_points_of_its_own():
    named = {*losses.REGRESSION, *losses.BINARY, *losses.MULTICLASS}
    assert named <= {*formulas.plain(), *formulas.optax()} and named <= set(loss_catalogue.names)
    for case in losses.cases(sizes.QUICK):
        raw, target = pieces.scores(*case)
        value = loss_catalogue[case.loss]()(raw, target)
        assert value.shape == (case.rows,) and np.isfinite(value).all()


@pytest.mark.parametrize(("ask", "request_"), [("loss", ("huber", 10, 0, 0)), ("step", ("sgd", 3, 100, 0)), ("copy", (10,))])
def test_a_piece_is_timed(ask, request_):
    worker = InJax(formulas.plain(), {"sgd": Sgd()})
    assert getattr(worker, ask)(*request_)["seconds"] > 0
    assert worker.loss("no such loss", 10, 0, 0)["seconds"] is None


def test_a_busy_neighbour_is_found_and_our_own_processes_are_not():
    before = {1: Process("init", 0, 5.0), 7: Process("us", 1, 1.0), 8: Process("peer", 7, 0.0), 9: Process("other", 1, 3.0)}
    after = {
        1: Process("init", 0, 5.1),
        7: Process("us", 1, 9.0),
        8: Process("peer", 7, 9.0),
        9: Process("other", 1, 4.0),
        10: Process("new", 1, 1.5),
    }
    assert neighbours.busiest(before, after, 2.0, own=7) == (10, Process("new", 1, 0.75))
    del after[10]
    assert neighbours.busiest(before, after, 2.0, own=7) == (9, Process("other", 1, 0.5))
    assert neighbours.busiest({}, {}, 2.0, own=7) is None


@pytest.mark.parametrize(("seconds", "allowed", "refused"), [(0.3, False, False), (0.5, False, True), (0.5, True, False)])
def test_a_report_is_refused_beside_a_busy_neighbour(monkeypatch, seconds, allowed, refused):
    readings = iter([{9: Process("other", 1, 0.0)}, {9: Process("other", 1, seconds)}])
    clock = iter([0.0, 2.0, 2.0])
    monkeypatch.setattr(neighbours, "reading", lambda: next(readings))
    monkeypatch.setattr(neighbours.time, "monotonic", lambda: next(clock))
    monkeypatch.setattr(neighbours.time, "sleep", lambda wait: None)
    watch = neighbours.Watch(allowed)
    if refused:
        with pytest.raises(neighbours.Busy, match=r"process 9 \(other\) uses 0.25 of a core.*--busy-ok"):
            watch.check()
    else:
        watch.check()
    assert len(watch.noticed) == (seconds > 0.4)


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="this system has no /proc")
def test_processes_are_read_from_the_system():
    mine = neighbours.reading()[os.getpid()]
    assert mine.parent == os.getppid() and mine.seconds > 0


def test_refusal_is_one_line_and_code_3(monkeypatch, capsys):
    def busy(watch):
        raise neighbours.Busy("no report: process 9")

    monkeypatch.setattr(neighbours.Watch, "check", busy)
    monkeypatch.setattr(sys, "argv", ["benchmarks", "engine"])
    assert command.main() == 3
    assert capsys.readouterr().err == "no report: process 9\n"


def test_runs_are_counted_from_the_ledger(tmp_path):
    with sqlite3.connect(tmp_path / "ledger.sqlite") as database:
        database.execute("CREATE TABLE runs (contender, phase, updates, diverged_after, seconds)")
        rows = [("a", "tuning", 100, None, 1.0), ("a", "tuning", 100, 50, 1.0), ("a", "confirmation", 100, None, 1.0)]
        rows += [
            ("a (twin)", "confirmation", 100, None, 1.0),
            ("a | with other weights", "counterfactual", 100, None, 1.0),
            ("b", "tuning", 30, None, 2.0),
            ("control linear", "control", 0, None, 9),
        ]
        database.executemany("INSERT INTO runs VALUES (?, ?, ?, ?, ?)", rows)
    database.close()
    made = compared.runs_made(compared.ledger(tmp_path))
    assert made == {"a": 4.5, "b": 1.0}
    assert job.total({"a": 2.0, "b": 10.0, "never ran": 99.0}, made) == 19.0


def test_the_parts_of_a_comparison_add_up_to_its_length():
    runs = [("a", "tuning", 1, None, 3.0), ("a", "confirmation", 1, None, 2.0), ("control linear", "control", 0, None, 1.0)]
    of = [compared.Compared(seconds, 0.5, 1, {"timing": {"total_seconds": seconds - 1}}, runs) for seconds in (50.0, 10.0, 12.0)]
    first, *parts = compared.where_time_goes("cold", of)
    assert first.split()[1] == "12.0"
    assert [float(part.split()[0]) for part in parts] == [5.0, 1.0, 0.5, 1.0, 4.5]


class Echo:
    """Answers what it is asked."""

    def twice(self, number):
        print("a library talks")
        return {"number": 2 * number}


def test_a_worker_answers_in_json_and_what_libraries_print_goes_elsewhere():
    code = "from tests.test_benchmarks import Echo; from benchmarks.peer import serve; serve(Echo())"
    done = subprocess.run(
        [sys.executable, "-c", code], input='{"do": "twice", "number": 4}\n', cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert json.loads(done.stdout) == {"number": 8}
    assert "a library talks" in done.stderr


def test_a_worker_that_dies_says_which(capfd):
    with (
        pytest.raises(RuntimeError, match="no_such_worker ended with code 1 when asked to run"),
        peer.Peer("no_such_worker") as dead,
    ):
        dead.ask("run")
    assert "no_such_worker" in capfd.readouterr().err


def test_a_report_is_kept_and_shown_again(tmp_path, capsys, monkeypatch):
    mine = report.Report(quick=False)
    mine.use({"torch": "2.13.0"})
    mine.judge(figures.Target("speed", 20), [30.0, 10.0, 25.0])
    path = mine.write(tmp_path / "kept" / "one.json")
    data = json.loads(path.read_text(encoding="utf-8"))
    assert data["targets"][0]["median"] == 25.0 and data["targets"][0]["met"] is True
    printed = capsys.readouterr().out
    monkeypatch.setattr(report, "RESULTS", tmp_path / "kept")
    monkeypatch.setattr(sys, "argv", ["benchmarks", "--show"])
    assert command.main() == 0
    assert next(text for text in printed.splitlines() if text.startswith("speed")) in capsys.readouterr().out


def test_very_many_classes_are_measured_beside_the_plain_composition(capsys):
    large_classes.main(["--rows", "64", "--inputs", "3", "--classes", "40", "--turns", "1"])
    said = capsys.readouterr().out.splitlines()
    assert [line.split(":")[0] for line in said[-2:]] == ["beside the plain composition", "beside the shortest formula"]
    assert all("memory × " in line and "time × " in line for line in said[-2:])
