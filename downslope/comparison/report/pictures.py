"""Which pictures stand on the page, with their captions and the numbers behind them."""

from collections.abc import Callable, Iterable
from typing import Any

from downslope.comparison.report import figures, judged_figures, series
from downslope.comparison.report import judged as rows_of
from downslope.comparison.report.wording import better, clean, is_number, sentence


def plain_value(value: Any) -> Any:
    """A number with six digits, a text in one line, or nothing: what strict JSON can hold."""
    if isinstance(value, bool) or value is None or isinstance(value, str):
        return clean(value, 200) if isinstance(value, str) else value
    value = float(value)
    return float(f"{value:.6g}") if is_number(value) else None


def picture(
    name: str, draw: Callable[[], Any], title: str, caption: str, columns: list[str], rows: Iterable[Iterable[Any]]
) -> dict[str, Any]:
    """One drawn picture; `columns` and `rows` are the numbers behind it, for the reader to take away."""
    table = {"name": name, "columns": columns, "rows": [[plain_value(value) for value in row] for row in rows]}
    title = clean(title, 90)
    words = ". ".join(part for part in (title, clean(caption, 300)) if part)
    return {
        "name": name,
        "title": title,
        "svg": figures.to_svg(draw, name, words),
        "caption": sentence(caption, 600),
        "data": table,
    }


def pictures(result: dict[str, Any], runs: list[dict[str, Any]], judged: dict[str, Any]) -> dict[str, Any]:
    """All pictures by section; a section without data is an empty list. Curves come by their axis."""
    return {
        "ranking": ranking(result),
        "heat": heat(result),
        "rates": rates(result),
        "curves": curves(result, runs),
        "tuning": tuning(result),
        "overfitting": overfitting(result),
        "model": model(result, judged),
    }


def ranking(result: dict[str, Any]) -> list[dict[str, Any]]:
    """The ranking, one picture."""
    caption = (
        "Dots are means over the confirmation runs, bars are 95 % intervals. Filled dots on shaded ground are tied with the "
        "best. Dashed lines are the controls; an arrow or a triangle points to a value beyond the edge."
    )
    rows = []
    for one in series.in_order(result):
        score = one.get("score") or {}
        values = [score.get(name) for name in ("mean", "low", "high")]
        rows.append(
            [one["id"], one["loss"], one["optimizer"], one["status"], *values, one["tied_with_best"], *one.get("scores", [])]
        )
    most = max((len(one.get("scores", [])) for one in result["contenders"]), default=0)
    columns = ["contender", "loss", "optimizer", "status", "mean", "low", "high", "tied", *(f"run {i + 1}" for i in range(most))]
    return [picture("ranking", lambda: figures.plot_ranking(result), "", caption, columns, rows)]


def heat(result: dict[str, Any]) -> list[dict[str, Any]]:
    """One map for each metric; nothing where there is only one contender."""
    made: list[dict[str, Any]] = []
    if len(result["contenders"]) < 2:
        return made
    for metric in series.metrics(result):
        name, ranking_metric = metric["name"], result["metric"]["name"]
        rows = []
        for one in series.in_order(result):
            value = series.value_of(one, name, ranking_metric) or {}
            rows.append([*series.parts(one), value.get("mean"), value.get("low"), value.get("high"), one["status"]])
        title = f"{metric['title']}, {better(metric['direction'])}"
        caption = "The deeper the colour, the better; the best in bold."
        columns = ["loss", "optimizer", "mean", "low", "high", "status"]
        made.append(
            picture(f"heat-{len(made)}", lambda name=name: figures.plot_heatmap(result, name), title, caption, columns, rows)
        )
    return made


def rates(result: dict[str, Any]) -> list[dict[str, Any]]:
    """One picture for each method, all on the same scale of scores."""
    window = series.rate_window(result)
    made = []
    for method, contenders in series.learning_rates(result).items():
        if all(len(one["grid"]) < 2 for one in contenders):
            continue  # the rate was given, not searched for
        rows = [
            [series.parts(one)[0], method, point["learning_rate"], seed, score, point["status"]]
            for one in contenders
            for point in one["grid"]
            for seed, score in enumerate(point["scores"])
        ]
        columns = ["loss", "optimizer", "learning rate", "tuning seed", "score", "status"]
        made.append(
            picture(
                f"rate-{len(made)}",
                lambda m=method: figures.plot_learning_rate(result, m, window=window),
                method,
                "",
                columns,
                rows,
            )
        )
    return made


def curves(result: dict[str, Any], runs: list[dict[str, Any]]) -> list[tuple[str, list[dict[str, Any]]]]:
    """By axis: the score of three contenders in one picture, then the loss of each. Seconds are there where they were taken."""
    chosen = series.featured(result)
    found = series.curves(runs, [one["id"] for _, one in chosen])
    if not found:
        return []
    timed = all(series.seconds(result, one["id"]) for _, one in chosen)
    axes = {"examples seen": "examples", "seconds": "seconds"} if timed else {"examples seen": "examples"}
    return [(words, curves_by(result, found, by, words)) for words, by in axes.items()]


def curves_by(result: dict[str, Any], found: series.Curves, by: str, words: str) -> list[dict[str, Any]]:
    """The pictures of the learning curves along one axis."""
    chosen, metric = series.featured(result), result["metric"]
    columns = ["contender", words, "split", "metric", "median", "low", "high"]
    ending = "" if by == "examples" else f"-{by}"

    def numbers(contenders: list[str], metric: str) -> list[list[Any]]:
        return [
            [key[0], along, key[1], key[2], *spread]
            for key, curve in found.items()
            if key[0] in contenders and key[2] == metric
            for along, *spread in zip(
                series.along(result, key[0], curve, by), curve["median"], curve["low"], curve["high"], strict=True
            )
        ]

    title = f"{metric['title']} on the validation rows, {better(metric['direction'])}"
    caption = "Lines are medians over the confirmation runs, bands hold eight of ten."
    if by == "seconds":
        caption += " Seconds are a run's share of the time in which it trained beside the others of its contender."
    rows = numbers([one["id"] for _, one in chosen], metric["name"])
    made = [picture(f"scores{ending}", lambda: figures.plot_scores(result, found, by=by), title, caption, columns, rows)]
    for role, one in chosen:
        rows = numbers([one["id"]], "loss")
        if rows:
            drawn = picture(
                f"curve-{len(made)}{ending}",
                lambda one=one: figures.plot_curves(result, found, one["id"], by=by),
                f"{role}: {one['id']}",
                f"Its own loss, {one['loss']}.",
                columns,
                rows,
            )
            made.append(drawn)
    return made


def tuning(result: dict[str, Any]) -> list[dict[str, Any]]:
    """What tuning costs each optimizer, one picture."""
    found = series.tuning(result)
    if max((len(scores) for _, scores in found.values()), default=0) < 2:
        return []
    ends = ("draws", "mean", "low", "high")
    rows = [[method, one, *(each[end] for end in ends)] for method, (one, scores) in found.items() for each in scores]
    caption = (
        "The mean over all choices of so many of the learning rates that were tried, on the tuning seeds, with the optimizer's "
        "best loss; a rate that diverged or did worse than the constant predictor counts as that."
    )
    metric = result["metric"]
    title = f"Best {metric['title']} to expect, {better(metric['direction'])}"
    columns = ["optimizer", "contender", "learning rates tried", "expected best score", "lowest seed", "highest seed"]
    return [picture("tuning", lambda: figures.plot_tuning(result), title, caption, columns, rows)]


def overfitting(result: dict[str, Any]) -> list[dict[str, Any]]:
    """None, L2 and dropout in one picture; nothing where they were not run."""
    sides = series.regularised(result)
    if not sides:
        return []
    record = next(reason for reason in result["reasons"] if reason.get("sides"))
    rows = []
    for side in sides:
        known = side["training"]
        rows.append([side["name"], "training", sum(known) / len(known), None, None, *known])
        rows.append([side["name"], "judged", *(side["reach"][end] for end in ("mean", "low", "high")), *side["judged"]])
    count = len(sides[0]["judged"])
    caption = (
        "Rings are means on the rows that the models learned from, dots on judged rows with 95 % intervals; the small dots are "
        f"single runs, {count} of each, with the same rows and seeds. The farther apart ring and dot, the more is known by heart."
    )
    if record["left_out"]:
        caption += f" There is {', and '.join(record['left_out'])}."
    columns = ["regularisation", "rows", "mean", "low", "high", *(f"run {i + 1}" for i in range(count))]
    title = f"Regularisation of {record['contenders'][0]}"
    return [picture("overfitting", lambda: judged_figures.plot_overfitting(result), title, caption, columns, rows)]


def model(result: dict[str, Any], judged: dict[str, Any]) -> list[dict[str, Any]]:
    """What the recommended contender and the runner-up get right and wrong."""
    made: list[dict[str, Any]] = []
    for role, one in series.featured(result)[:2]:
        rows = judged.get(one["id"])
        if rows is None or len(rows["target"]) == 0:
            continue
        for kind, draw, caption, columns, numbers in pairs_for(result, judged, one["id"]):
            made.append(picture(f"{kind}-{len(made)}", draw, f"{role}: {one['id']}", caption, columns, numbers))
    return made


def pairs_for(
    result: dict[str, Any], judged: dict[str, Any], contender: str
) -> Iterable[tuple[str, Callable[[], Any], str, list[str], Any]]:
    """The two pictures of one contender's judged rows."""
    rows = judged[contender]
    if result["task"] == "regression":
        target, prediction = rows_of.drawn_rows(rows)
        total = len(rows["target"])
        shown = (
            f"{len(target)} of {total} judged rows, spread evenly over the target"
            if len(target) < total
            else f"All {total} judged rows"
        )
        caption = f"{shown}; the dashed line is a perfect prediction."
        yield (
            "predictions",
            lambda: judged_figures.plot_predictions(result, judged, contender),
            caption,
            ["true", "predicted"],
            zip(target, prediction, strict=True),
        )
        edges, counts = rows_of.residuals(rows)
        caption = "Errors of all judged rows; the outermost bars hold everything beyond."
        bins = zip(edges[:-1], edges[1:], counts, strict=True)
        yield "residuals", lambda: judged_figures.plot_residuals(result, judged, contender), caption, ["from", "to", "rows"], bins
        return
    names, counts = rows_of.confusion(rows, result["classes"], result["task"])
    table = [[name, *line] for name, line in zip(names, counts, strict=True)]
    caption = "Rows are the truth, columns the prediction; shading is the share of the true class."
    yield (
        "confusion",
        lambda: judged_figures.plot_confusion(result, judged, contender),
        caption,
        ["true \\ predicted", *names],
        table,
    )
    curve = rows_of.calibration(rows, result["task"])
    if curve:
        of = "the positive class" if result["task"] == "binary" else "the class that was predicted"
        caption = f"Probability said for {of} against how often it came true, with 95 % intervals; on the dashed line both agree."
        yield (
            "calibration",
            lambda: judged_figures.plot_calibration(result, judged, contender),
            caption,
            list(curve),
            zip(*curve.values(), strict=True),
        )
