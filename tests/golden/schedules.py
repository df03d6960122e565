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
