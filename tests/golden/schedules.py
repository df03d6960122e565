"""Reference factors of schedules, from optax; ours measure the run by shares, theirs by steps."""

import jax.numpy as jnp
import optax

MADE_BY = f"optax {optax.__version__}"


def case(schedule, steps, settings, theirs, name):
    factors = [float(theirs(jnp.asarray(step))) for step in range(steps)]
    return {"schedule": schedule, "steps": steps, "made_by": f"{MADE_BY}, {name}", "settings": settings, "factors": factors}


def cases():
    """Each formula without warm-up, over a run of a given length."""
    yield case("constant", 5, {}, optax.constant_schedule(1.0), "constant_schedule")
    for end in (0.0, 0.1):
        yield case("linear", 40, {"end": end}, optax.linear_schedule(1.0, end, 40), "linear_schedule")
        yield case("cosine", 40, {"end": end}, optax.cosine_decay_schedule(1.0, 40, end), "cosine_decay_schedule")
    for warmup in (0.25, 0.5):  # the shape over what remains after the warm-up
        rising = int(60 * warmup)
        rise = optax.linear_schedule(1 / (rising + 1), 1.0, rising)
        fall = optax.cosine_decay_schedule(1.0, 60 - rising, 0.05)
        both = optax.join_schedules([rise, fall], [rising])
        yield case("cosine", 60, {"end": 0.05, "warmup": warmup}, both, "join_schedules(linear_schedule, cosine_decay_schedule)")
    for end, power in ((0.0, 2.0), (0.1, 0.5)):
        theirs = optax.polynomial_schedule(1.0, end, power, 40)
        yield case("polynomial", 40, {"end": end, "power": power}, theirs, "polynomial_schedule")
    yield case("exponential", 40, {"end": 0.003}, optax.exponential_decay(1.0, 40, 0.003), "exponential_decay")
    staircase = optax.exponential_decay(1.0, 20, 0.2, staircase=True)
    yield case("step", 60, {"drop": 0.2, "drops": 2}, staircase, "exponential_decay(staircase=True)")
    cycle = optax.cosine_onecycle_schedule(40, 1.0, pct_start=0.3, div_factor=25.0, final_div_factor=1e4)
    yield case("one_cycle", 40, {"rise": 0.3, "start": 0.04, "end": 4e-6}, cycle, "cosine_onecycle_schedule")
    cycle = optax.cosine_onecycle_schedule(50, 1.0, pct_start=0.4, div_factor=4.0, final_div_factor=5.0)
    yield case("one_cycle", 50, {"rise": 0.4, "start": 0.25, "end": 0.05}, cycle, "cosine_onecycle_schedule")
    stays = optax.join_schedules([optax.constant_schedule(1.0), optax.linear_schedule(1.0, 0.2, 15)], [45])
    yield case(
        "warmup_stable_decay", 60, {"decay": 0.25, "end": 0.2}, stays, "join_schedules(constant_schedule, linear_schedule)"
    )
    falls = [optax.cosine_decay_schedule(1.0, length, 0.1) for length in (10, 20, 40)]
    settings = {"cycles": 3, "growth": 2, "end": 0.1}
    yield case("cosine_restarts", 70, settings, optax.join_schedules(falls, [10, 30]), "join_schedules(cosine_decay_schedule)")
    falls = [optax.cosine_decay_schedule(1.0, 20, 0.3)] * 2
    settings = {"cycles": 2, "growth": 1, "end": 0.3}
    yield case("cosine_restarts", 40, settings, optax.join_schedules(falls, [20]), "join_schedules(cosine_decay_schedule)")
    yield from as_printed()


PRINTED = {1: 0.01, 2: 0.02, 23: 0.23, 24: 0.24, 25: 0.25} | {n: 0.25 * 5 / n**0.5 for n in (26, 27, 300, 4000, 50000)}


def root(number, rising):
    """Vaswani et al. (2017), equation 3, relative to its peak."""
    return min(number**-0.5, number * rising**-1.5) / rising**-0.5


def as_printed():
    """The inverse square root from its peak on, and from the start of its warm-up. The paper prints no rate; the test of Trax,
    which one of its authors kept, prints those above for 24 rising steps, 0.25 at the peak and steps that count from 1.
    """
    assert all(abs(0.25 * root(number, 25) - rate) < 1e-12 for number, rate in PRINTED.items())
    made_by = "the paper's equation, which meets the rates printed in Trax's lr_schedules_test.py"
    for first, rising, steps, settings in (
        (8, 8, 40, {"timescale": 8 / 40}),
        (1, 25, 50, {"warmup": 24 / 50, "timescale": 25 / 26}),
    ):
        factors = [root(first + number, rising) for number in range(steps)]
        case = {"schedule": "inverse_square_root", "steps": steps, "made_by": made_by, "settings": settings}
        yield case | {"factors": factors}
