"""The sentences of the recommendation, each from the result alone; an empty text where there is nothing to say."""

from collections.abc import Mapping, Sequence
from typing import Any

from downslope.comparison.tunability import tuned
from downslope.comparison.wording import capital, listed, number, percent, plus_minus, title

Result = Mapping[str, Any]
Contender = Mapping[str, Any]
FEW = 4  # names in a row that a reader still takes in
SAME_ORDER = {"rmse", "r2"}  # metrics that put any predictions in the same order
TRADE = 0.01  # share of the way to the constant predictor by which another loss must win its metric, where the result has none


def sign(result: Result) -> int:
    """1 where the ranking metric is better when lower."""
    return 1 if result["metric"]["direction"] == "lower" else -1


def cost(result: Result, contender: Contender) -> float:
    """The contender's score, turned so that lower is better."""
    return sign(result) * contender["score"]["mean"]


def value(control: Mapping[str, Any]) -> float:
    """The score of a control, given alone or with an interval."""
    score = control["score"]
    return float(score["mean"] if isinstance(score, Mapping) else score)


def reach(contender: Contender) -> float:
    """Half of the width of a score's interval."""
    return (contender["score"]["high"] - contender["score"]["low"]) / 2


def guess(result: Result, of: str = "the") -> str:
    """What the constant predictor says."""
    if result["task"] == "regression":
        return f"{of} median" if result["metric"]["name"] == "mae" else f"{of} mean"
    return f"the shares of {of} classes"


def named(contender: Contender) -> str:
    """Optimizer and loss in running text."""
    return f"{title(dict(contender), 'optimizer')} with {title(dict(contender), 'loss')}"


def nobody_finished(result: Result) -> str:
    """Why there is no recommendation when no contender has a score."""
    return capital(f"no contender came to a score, so there is nothing to recommend. {failures(result)}".strip())


def no_better_than_constant(result: Result, best: Contender) -> str:
    """The answer when nothing can be learned."""
    constant, metric = result["controls"]["constant"], result["metric"]
    figures = f"{metric['title']} {plus_minus(best['score'])} against {number(value(constant))}"
    trees = result["controls"].get("boosted_trees") or {}
    margin = result.get("margin") or 0
    if trees.get("score") is not None and sign(result) * (value(constant) - value(trees)) > max(margin, reach(best)):
        return (
            f"Nothing compared here predicts {result['target']} better than {guess(result, 'its')} ({figures}), but boosted "
            f"trees do ({number(value(trees))}): the model is what fails, not the loss or the optimizer."
        )
    return (
        f"Nothing here predicts {result['target']} better than {guess(result, 'its')} ({figures}); "
        "look at the data, not at the optimizer."
    )


def clearly_better(result: Result, control: Mapping[str, Any], mine: float) -> bool:
    """Whether a control is better by more than the margin, and by more than chance where the result knows that."""
    beyond_chance = not control.get("difference") or control["difference"]["high"] < 0
    return beyond_chance and mine - sign(result) * value(control) > (result.get("margin") or 0)


def trees_first(result: Result, chosen: Contender) -> str:
    """Boosted trees, where they are better by more than the margin: a reader who only wants predictions can stop there."""
    trees = result.get("controls", {}).get("boosted_trees") or {}
    if not trees.get("better") or trees.get("score") is None:
        return ""
    if not clearly_better(result, trees, cost(result, chosen)):
        return ""
    figures = " against ".join(number(score, reach(chosen)) for score in (value(trees), chosen["score"]["mean"]))
    figures = f"{result['metric']['title']} {figures}"
    return f"If you only want predictions, boosted trees are better here: {figures}."


def use(result: Result, chosen: Contender) -> str:
    """What to use, its score, its direction, and what the controls reach."""
    metric, controls = result["metric"], result.get("controls", {})
    beside = [f"{metric['direction']} is better"]
    constant = controls.get("constant") or {}
    if constant.get("score") is not None:
        beside.append(f"always guessing {guess(result)}: {number(value(constant))}")
    for kind, words in (("linear", "a linear model"), ("boosted_trees", "boosted trees")):
        found = controls.get(kind) or {}
        if found.get("score") is not None:
            beside.append(f"{words}: {number(value(found), reach(chosen))}")
    rate = chosen["settings"].get("learning_rate")
    at = [f"learning rate {rate:.3g}"] if rate is not None else []
    at += [f"{name.replace('_', ' ')} {value:.3g}" for name, value in tuned(chosen).items()]
    where = f" at {listed(at)}" if at else ""
    score = f"{metric['title']} {plus_minus(chosen['score'])} on rows never used ({beside[0]}"
    return f"Use {named(chosen)}{where}: {score}{''.join(f'; {words}' for words in beside[1:])})."


def short(contender: Contender, chosen: Contender, others: Sequence[Contender]) -> str:
    """A contender's optimizer alone where that tells it from the others, with its loss otherwise."""
    same_loss = all(c["loss"] == chosen["loss"] for c in (contender, *others))
    return title(dict(contender), "optimizer") if same_loss else named(contender)


def widest(result: Result, contenders: Sequence[Contender]) -> str:
    """How far apart the scores of some contenders lie."""
    costs = [cost(result, c) for c in contenders]
    return number(max(costs) - min(costs))


def ties(result: Result, chosen: Contender, others: Sequence[Contender], judged: Sequence[Contender]) -> str:
    """Who does as well, which is said only where nobody is behind by more than the margin."""
    if not others:
        return "" if len(judged) < 2 else "No other contender is tied with it."
    title_ = result["metric"]["title"]
    together = f"within {widest(result, [chosen, *others])} {title_}"
    alike = all(abs(cost(result, c) - cost(result, chosen)) <= (result.get("margin") or 0) for c in others)
    if len(others) + 1 == len(judged):
        who = (
            f"any of the {len(judged)} contenders"
            if len(judged) > FEW
            else listed([short(c, chosen, others) for c in (chosen, *others)])
        )
        return f"No difference was found between {who} (all {together})."
    names = listed([named(c) for c in others[:2]] if len(others) > FEW else [short(c, chosen, others) for c in others])
    if len(others) > FEW:
        does = "do as well" if alike else "are not found to be worse"
        return f"{len(others)} others {does} ({together}), among them {names}."
    one = len(others) == 1
    does = ("does as well" if one else "do as well") if alike else f"{'is' if one else 'are'} not found to be worse"
    return f"{capital(names)} {does} ({together})."


def unsettled(result: Result, tied: Sequence[Contender]) -> str:
    """Who is among the tied only because its runs differ too much: on average it is no better than the constant predictor."""
    constant = result.get("controls", {}).get("constant") or {}
    if constant.get("score") is None:
        return ""
    lost = [c for c in tied if cost(result, c) >= sign(result) * value(constant)]
    if not lost:
        return ""
    who = listed([named(c) for c in lost]) if len(lost) <= FEW else f"{len(lost)} contenders"
    verb, its, it = ("is", "its", "it is") if len(lost) == 1 else ("are", "their", "they are")
    why = f"{verb} among the tied only because {its} runs differ too much to tell"
    return capital(f"{who} {why}: on average {it} no better than always guessing {guess(result)}.")


def gap(result: Result, contender: Contender, chosen: Contender) -> str:
    """How much worse a contender's score is: a share where the metric is a size, a plain difference where it is bounded."""
    worse, base = cost(result, contender) - cost(result, chosen), abs(chosen["score"]["mean"])
    if sign(result) == 1 and base > 0:
        return percent(worse / base)
    return number(worse)


def losers(result: Result, chosen: Contender, judged: Sequence[Contender]) -> str:
    """How much worse the other optimizers of the same loss are."""
    worse = [c for c in judged if not c["tied_with_best"] and c["loss"] == chosen["loss"] and c is not chosen]
    if not worse:
        return ""
    worse.sort(key=lambda c: cost(result, c))
    unit = " worse" if sign(result) == 1 else f" {result['metric']['title']} worse"
    first, *rest = [f"{title(dict(c), 'optimizer')}{{}} {gap(result, c, chosen)}" for c in worse]
    said = listed([first.format(" is") + unit, *(one.format("") for one in rest)])
    several = len({c["loss"] for c in judged}) > 1
    return capital(f"with {title(dict(chosen), 'loss')}, {said}." if several else f"{said}.")


def best_of_losses(result: Result, judged: Sequence[Contender]) -> dict[str, Contender]:
    """The best contender of each loss."""
    out: dict[str, Contender] = {}
    for contender in sorted(judged, key=lambda c: cost(result, c)):
        out.setdefault(contender["loss"], contender)
    return out


def other_losses(result: Result, chosen: Contender, judged: Sequence[Contender]) -> str:
    """Whether the loss matters by the ranking metric."""
    best = best_of_losses(result, judged)
    if len(best) < 2:
        return ""
    tied = {c["loss"] for c in judged if c["tied_with_best"]}
    metric = result["metric"]["title"]
    if tied >= set(best):
        return f"By {metric} the loss hardly matters: each of them has a contender among the best."
    behind = [c for loss, c in best.items() if loss not in tied]
    unit = " worse" if sign(result) == 1 else f" {metric} worse"
    said = [f"{title(dict(c), 'loss')} is {gap(result, c, chosen)}{unit}" for c in behind]
    return capital(f"at its best, {listed(said)}.")


def trade_off(result: Result, chosen: Contender, judged: Sequence[Contender]) -> str:
    """The loss to take if another metric counts, where that loss wins it clearly."""
    out = []
    constants = (result.get("controls", {}).get("constant") or {}).get("metrics", {})
    for metric in result.get("metrics", []):
        name, way = metric["name"], 1 if metric["direction"] == "lower" else -1
        if {name, result["metric"]["name"]} <= SAME_ORDER or not known(chosen, name):
            continue
        rivals = [c for c in judged if known(c, name)]
        winner = min(rivals, key=lambda c: (way * c["metrics"][name]["mean"], cost(result, c)))
        ahead = way * (chosen["metrics"][name]["mean"] - winner["metrics"][name]["mean"])
        constant = (constants.get(name) or {}).get("mean")
        far = abs(constant - winner["metrics"][name]["mean"]) if constant is not None else abs(winner["metrics"][name]["mean"])
        if winner["loss"] != chosen["loss"] and ahead > max(
            result.get("margin_share", TRADE) * far, wobble(chosen, winner, name)
        ):
            figures = f"{number(winner['metrics'][name]['mean'])} instead of {number(chosen['metrics'][name]['mean'])}"
            out.append((ahead / far, f"if {metric['title']} counts, {title(dict(winner), 'loss')} reached {figures}"))
    return capital(max(out)[1] + ".") if out else ""


def wobble(one: Contender, other: Contender, metric: str) -> float:
    """How far the means of two contenders may lie apart by the spread of their runs alone."""
    runs = max(len(one.get("scores", [])), 1)
    return sum((c["metrics"][metric]["high"] - c["metrics"][metric]["low"]) / 2 for c in (one, other)) / runs**0.5


def known(contender: Contender, metric: str) -> bool:
    """Whether a contender has a value for a metric."""
    found = contender.get("metrics", {}).get(metric)
    return found is not None and found.get("mean") is not None


def linear_enough(result: Result) -> str:
    """A linear model in the tied set ends the search."""
    linear = result.get("controls", {}).get("linear") or {}
    if linear.get("score") is None or not linear.get("tied_with_best"):
        return ""
    direct = "ridge regression" if result["task"] == "regression" else "logistic regression"
    does = "does better" if linear.get("difference") and linear["difference"]["high"] < 0 else "does as well"
    if str(result.get("model", "")).startswith("linear"):
        return f"{capital(direct)}, solved directly, {does}: for a linear model it is all you need."
    return f"A linear model ({direct}) {does}, so it is enough for this table."


def closed_form(result: Result, chosen: Contender) -> str:
    """Where no optimizer is needed at all, of the recommended contender or of one that is tied with it."""
    if chosen.get("closed_form"):
        return capital(f"{chosen['closed_form']} gives this in closed form, without any optimizer.")
    tied = next((c for c in result["contenders"] if c["tied_with_best"] and c.get("closed_form")), None)
    if tied is None:
        return ""
    does = f"{title(dict(tied), 'loss')} is tied with the best, and {tied['closed_form']} gives it in closed form"
    return capital(f"{does}, without any optimizer.")


def twin_apart(result: Result) -> str:
    """What it means when a contender differs from itself."""
    twin = result.get("controls", {}).get("twin") or {}
    if not twin or twin.get("tied", True):
        return ""
    return (
        f"Caution: {twin['of']}, run again with nothing changed but its seeds, came out different "
        f"(by {number(abs(twin['difference']['mean']))} {result['metric']['title']}), so the noise exceeds these claims and the "
        "order is unsettled."
    )


def margin_words(result: Result) -> str:
    """What was fixed beforehand as a difference too small to act on."""
    margin = result.get("margin")
    return f"Differences up to {number(margin)} {result['metric']['title']} count as ties, fixed beforehand." if margin else ""


def at_the_border(chosen: Contender, judged: Sequence[Contender]) -> str:
    """Whose best learning rate may lie outside the range that was tried."""
    if chosen.get("at_border"):
        return "Its best learning rate is at the edge of the range that was tried; a better one may lie beyond."
    edge = [named(c) for c in judged if c.get("at_border") and not c["tied_with_best"]]
    if not edge:
        return ""
    who = listed(edge) if len(edge) <= FEW else f"{len(edge)} contenders"
    return f"{capital(who)} may be better than shown: the best learning rate is at the edge of the range that was tried."


def full_batch(result: Result, chosen: Contender) -> str:
    """Why methods that take all rows at once fall behind at equal cost."""
    full = [c for c in result["contenders"] if c.get("batch") == "full" and not c["tied_with_best"] and c.get("updates")]
    if not full or chosen.get("batch") == "full" or not chosen.get("updates"):
        return ""
    steps = f"took {full[0]['updates']:,} steps, mini-batches {chosen['updates']:,}"
    return f"At the same cost {title(dict(full[0]), 'optimizer')} {steps}."


def failures(result: Result) -> str:
    """Who did not come to a score, and why."""
    lost = [c for c in result["contenders"] if c["status"] not in ("ok", "incompatible") and not c.get("twin_of")]
    if not lost:
        return ""
    first = f": {lost[0]['reason']}" if lost[0].get("reason") else ""
    who = listed([named(c) for c in lost]) if len(lost) <= FEW else f"{len(lost)} of {len(result['contenders'])} contenders"
    return f"{capital(who)} did not come to a score ({lost[0]['status'].replace('_', ' ')}{first})."


def measured(result: Result, *verdicts: str) -> list[str]:
    """The sentences of the reasons with these verdicts."""
    return [reason["sentence"] for reason in result.get("reasons") or [] if reason["verdict"] in verdicts]


def not_tested(result: Result) -> list[str]:
    """Which reasons were not put to the test, and why not."""
    return [
        f"{reason['title']}: {reason['why_not']}" for reason in result.get("reasons") or [] if reason["verdict"] == "not tested"
    ]
