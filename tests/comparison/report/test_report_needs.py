"""Needs and the cost of tuning on the page, in the words of the result."""

import html
import re

from sample import sample

from downslope.comparison.report.render import page


def words(*made):
    """The page as it is read: without tags, spaces alike."""
    return " ".join(html.unescape(re.sub("<[^>]+>", " ", page(*made))).split())


def test_what_tuning_costs_stands_beside_the_picture():
    result, runs, judged = sample(optimizers=("adam", "sgd"), losses={"huber": 0.0}, rows=50, epochs=2)
    points = [
        {"draws": k, "mean": 60_000.0 - 1000 * k, "low": 59_000.0 - 1000 * k, "high": 61_000.0 - 1000 * k} for k in (1, 2, 3)
    ]
    for record in result["tunability"]:
        record["expected_best"], record["rates"] = points, 3
    adam = next(record for record in result["tunability"] if record["optimizer"] == "adam")
    adam["plateau"] |= {"decades": {"mean": 1.5, "low": 1.0, "high": 2.0}, "at_least": True}
    adam["dead_zone"]["count"] = {"mean": 1.0, "low": 0.0, "high": 2.0}
    adam["divergence_edge"] = {"low": 0.3, "high": 1.0}
    text = words(result, runs, judged)
    assert "after 1 after 3 at its default tuned good decades" in text, "there are no 9 rates"
    assert "adam 59,000 (58,000 to 60,000) 57,000 (56,000 to 58,000)" in text
    assert "≥ 1.5 (1.0 to 2.0) 1 of 3 (0 to 2) 0.3, all from 1" in text


def test_every_need_is_on_the_page_in_the_words_of_the_result():
    result, runs, judged = sample(optimizers=("adam", "sgd"), rows=50, epochs=2)
    text = words(result, runs, judged)
    assert len(result["needs"]) == 5 and "By need" in text
    assert all(f"{need['title']} {need['text']}" in text for need in result["needs"])
