"""The recommendation: the simplest of those tied with the best, and what can honestly be said about it, in words."""

from collections.abc import Sequence
from typing import Any

from downslope.comparison import sentences as say
from downslope.comparison.aims import aims, aims_elsewhere
from downslope.comparison.sentences import Contender, Result, cost, named, sign, value
from downslope.comparison.tunability import tuned
from downslope.comparison.wording import capital


def advise(result: Result) -> dict[str, Any]:
    """`id`, `loss`, `optimizer`, `settings`, `text` and `reasons` from the result alone; `id` is `None` where none is to be used.

    Works on names only to print them: renaming contenders renames them in the answer and changes nothing else.
    """
    judged = [c for c in result["contenders"] if c["score"] is not None and not c.get("twin_of")]
    if not judged:
        return nothing(result, say.nobody_finished(result))
    best = min(judged, key=lambda c: cost(result, c))
    if learned_nothing(result, best):
        return nothing(result, say.no_better_than_constant(result, best))
    tied = [c for c in judged if c["tied_with_best"]] or [best]
    # Where little can be told apart, even the worst is tied: the simple one must also be as good as the best in practice.
    near = [c for c in tied if cost(result, c) <= cost(result, best) + (result.get("margin") or 0.0)] or [best]
    chosen = min(near, key=lambda c: effort(result, c))
    others = [c for c in tied if c is not chosen]
    text = [
        say.trees_first(result, chosen),
        say.use(result, chosen),
        say.ties(result, chosen, others, judged),
        say.unsettled(result, others),
        say.losers(result, chosen, judged),
        say.other_losses(result, chosen, judged),
        aims_elsewhere(result, chosen, judged),
        say.trade_off(result, chosen, judged),
        say.linear_enough(result),
        say.closed_form(result, chosen),
        say.twin_apart(result),
        "Found for this table and model: the order of optimizers may carry over, learning rates do not.",
        *(f"{capital(warning).removesuffix('.')}." for warning in result.get("warnings", [])),
    ]
    return {
        "id": chosen["id"],
        "loss": chosen["loss"],
        "optimizer": chosen["optimizer"],
        "settings": dict(chosen["settings"]),
        "text": " ".join(sentence for sentence in text if sentence),
        "reasons": [sentence for sentence in reasons(result, chosen, near, others, judged) if sentence],
    }


def nothing(result: Result, sentence: str) -> dict[str, Any]:
    """The answer when there is nothing to recommend."""
    said = [sentence, *(f"{capital(warning).removesuffix('.')}." for warning in result.get("warnings", []))]
    empty: dict[str, Any] = {"id": None, "loss": None, "optimizer": None, "settings": {}}
    return empty | {"text": " ".join(said), "reasons": [s for s in (say.failures(result), say.twin_apart(result)) if s]}


def effort(result: Result, contender: Contender) -> tuple[float, ...]:
    """What makes one of several equals the simpler one: solved directly, least sensitive to its rate, fewest tuned settings,
    fewest settings, cheapest, least memory.

    A rate at the edge of its range is nothing to build on, and a grid that was extended is not wider for it.
    """
    planned = result.get("budget", {}).get("learning_rates") or len(contender.get("grid", []))
    return (
        bool(contender.get("at_border")),
        not contender.get("closed_form"),
        -min(contender.get("good_rates", 0), planned),
        len(tuned(contender)),
        len(contender["settings"]),
        contender.get("gradients_per_step") or 1,
        contender.get("bytes_per_parameter") or 0,
        cost(result, contender),
    )


def learned_nothing(result: Result, best: Contender) -> bool:
    """Whether the best contender is no better than the constant predictor."""
    constant = result.get("controls", {}).get("constant")
    if not constant or constant.get("score") is None:
        return False
    if "tied_with_best" in constant:
        return bool(constant["tied_with_best"])
    worst = best["score"]["high" if sign(result) == 1 else "low"]
    return sign(result) * worst >= sign(result) * value(constant)


def reasons(
    result: Result, chosen: Contender, near: Sequence[Contender], others: Sequence[Contender], judged: Sequence[Contender]
) -> list[str]:
    """What stands behind the recommendation, one sentence each."""
    return [
        why_this_one(result, chosen, near, others),
        say.margin_words(result),
        say.at_the_border(chosen, judged),
        say.full_batch(result, chosen),
        aims(judged),
        say.failures(result),
    ]


def why_this_one(result: Result, chosen: Contender, near: Sequence[Contender], others: Sequence[Contender]) -> str:
    """What makes the chosen one the simplest of those that are as good as the best."""
    if not others:
        return f"{capital(named(chosen))} has the best score and no other contender is tied with it."
    rivals = [c for c in near if c is not chosen]
    if not rivals:
        who = f"{capital(named(chosen))} has the best score"
        return f"{who}; those that are tied with it are worse by more than the margin, but not beyond chance."
    rival = min(rivals, key=lambda c: effort(result, c))
    spans = [f"{c.get('good_rates', 0)} of {len(c.get('grid', []))}" for c in (chosen, rival)]
    words = (
        f"{named(rival)} has its best learning rate at the edge of what was tried",
        f"the optimum of {named(chosen)} is known in closed form, that of {named(rival)} is not",
        f"{named(chosen)} stays good over {spans[0]} learning rates, {named(rival)} over {spans[1]}",
        f"{named(chosen)} keeps more of its default settings than {named(rival)}",
        f"{named(chosen)} has fewer settings than {named(rival)}",
        f"{named(chosen)} needs fewer gradients a step than {named(rival)}",
        f"{named(chosen)} remembers less for each parameter than {named(rival)}",
        f"{named(chosen)} has the better score and nothing else sets it apart from {named(rival)}",
    )
    ours, theirs = effort(result, chosen), effort(result, rival)
    which = next((word for word, a, b in zip(words, ours, theirs, strict=True) if a < b), "")
    return f"Among the tied, {which}." if which else f"Among the tied, nothing sets {named(chosen)} and {named(rival)} apart."
