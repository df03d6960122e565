"""The page says what the result says, in order, and nothing in it can become markup."""

import base64
import hashlib
import json
import os
import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

import pytest
from hostile import PAYLOADS, poison
from sample import OPTIMIZERS, sample

from downslope.comparison.report.render import page, snippet
from downslope.comparison.report.wording import clean, sentence

SECTIONS = ["answer", "ranking", "heat", "losses", "rates", "curves", "tuning", "model", "data", "how"]
VOID = {"meta", "link", "br", "img", "input", "path", "use", "circle"}


class Reader(HTMLParser):
    """What a browser would find: tags with their attributes, and the text outside scripts and styles."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self.scripts: list[str] = []
        self.inside = ""
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        self.inside = tag

    def handle_endtag(self, tag):
        self.inside = ""

    def handle_data(self, data):
        if self.inside == "script":
            self.scripts.append(data)
        elif self.inside != "style":
            self.words.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split())


@pytest.fixture(scope="module", params=["regression", "binary", "multiclass"])
def read(request):
    made = sample(request.param, rows=300, epochs=8)
    return made[0], Reader(page(*made))


def test_sections_stand_in_order(read):
    _, reader = read
    found = [attrs["id"] for tag, attrs in reader.tags if tag == "section"]
    assert found == ["answer", *(f"{name}-section" for name in SECTIONS[1:])]


def test_the_answer_comes_first_and_whole(read):
    result, reader = read
    start = reader.text.index(result["recommendation"]["text"])
    answer = reader.text[: reader.text.index("Ranking", start)]
    command = "downslope predict model new.csv --out predictions.csv"
    for words in (*result["recommendation"]["reasons"], *result["warnings"], command):
        assert words in answer
    assert f"{result['metric']['direction']} is better" in answer
    for one in result["contenders"]:
        assert (one["id"] in answer) == one["tied_with_best"]
    assert "6 of 18" in answer or result["task"] != "regression"


def test_every_contender_metric_column_and_setting_is_there(read):
    result, reader = read
    for one in result["contenders"]:
        assert one["id"] in reader.text
    for metric in (result["metric"], *result["metrics"]):
        assert f"{metric['title']}, {metric['direction']} is better" in reader.text
    for column in result["columns"]:
        assert column["name"] in reader.text
    assert result["command"] in reader.text
    assert result["split"]["words"] in reader.text
    assert "left out: free text" in reader.text


def test_papers_are_those_of_the_losses_and_optimizers_used(read):
    result, reader = read
    links = {attrs["href"] for tag, attrs in reader.tags if tag == "a" and "://" in (attrs.get("href") or "")}
    from downslope.losses import catalogue as losses
    from downslope.optimizers import catalogue as optimizers

    used = [losses[c["loss"]] for c in result["contenders"] if c["loss"] in losses.names]
    used += [optimizers[c["optimizer"]] for c in result["contenders"] if c["optimizer"] in optimizers.names]
    assert links == {entry.about.source.url for entry in used}
    assert links


def test_nothing_is_fetched_and_only_our_script_runs(read):
    _, reader = read
    for tag, attrs in reader.tags:
        assert not [name for name in attrs if name.startswith("on")], (tag, attrs)
        for name in ("src", "srcset", "action", "data", "poster", "background"):
            assert name not in attrs, (tag, attrs)
        if tag == "link":
            assert attrs["href"] == "data:,"
        if tag == "use":
            assert (attrs["href"] or "").startswith("#")
    policy = next(a["content"] for t, a in reader.tags if t == "meta" and a.get("http-equiv") == "Content-Security-Policy")
    ours = base64.b64encode(hashlib.sha256(reader.scripts[-1].encode()).digest()).decode()
    assert policy == f"default-src 'none'; script-src 'sha256-{ours}'; style-src 'unsafe-inline'; img-src data:"


def test_ids_are_unique_and_every_reference_resolves(read):
    _, reader = read
    ids = [attrs["id"] for _, attrs in reader.tags if "id" in attrs]
    assert len(ids) == len(set(ids))
    for _, attrs in reader.tags:
        for value in attrs.values():
            for reference in re.findall(r"url\(#([^)]+)\)|^#(.+)$", value or ""):
                assert "".join(reference) in ids


def test_numbers_for_download_are_strict_json(read):
    _, reader = read

    def refuse(token):
        raise AssertionError(token)

    numbers = json.loads(reader.scripts[0], parse_constant=refuse)
    figures = {attrs["id"] for tag, attrs in reader.tags if tag == "figure"}
    assert set(numbers) == figures
    for table in numbers.values():
        assert table["rows"]
        assert {len(row) for row in table["rows"]} == {len(table["columns"])}, table["name"]


def shape(reader: Reader) -> tuple[set[str], set[str]]:
    return {tag for tag, _ in reader.tags}, {name for _, attrs in reader.tags for name in attrs}


@pytest.mark.parametrize("task", ["regression", "binary"])
def test_hostile_names_stay_text(task):
    assert len(PAYLOADS) >= 30
    calm = sample(task, optimizers=("adam", "sgd"), rows=100, epochs=3)
    failed = calm[0]["contenders"][0]["id"]
    wild = poison(*sample(task, optimizers=("adam", "sgd"), rows=100, epochs=3, diverged=(failed,)))
    made = page(*wild)
    reader = Reader(made)
    tags, names = shape(Reader(page(*calm)))
    assert (shape(reader)[0] - tags, shape(reader)[1] - names) == (set(), set())
    assert len(reader.scripts) == 2
    assert "49" not in clean(wild[0]["recommendation"]["text"])  # the template's braces were not computed
    for payload in PAYLOADS:
        assert clean(payload) in reader.text
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f\u202a-\u202e\u2028\u2029]", made)


def test_same_result_same_bytes_in_another_process():
    code = "import sys; sys.path.insert(0, 'tests/comparison/report'); from sample import sample; from hashlib import sha256;"
    code += "from downslope.comparison.report.render import page; made = sample(optimizers=('adam', 'sgd'), rows=200, epochs=4);"
    code += "print(sha256(page(*made).encode()).hexdigest())"
    made = sample(optimizers=("adam", "sgd"), rows=200, epochs=4)
    here = page(*made)
    assert here == page(*made)
    environment = os.environ | {"PYTHONHASHSEED": "7"}
    top = Path(__file__).parents[3]
    there = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=environment, cwd=top)
    assert there.stdout.split()[-1] == hashlib.sha256(here.encode()).hexdigest()


def test_thirty_contenders_fit_in_a_megabyte():
    made = sample(optimizers=tuple(OPTIMIZERS), rows=16000, epochs=50, seeds=3)
    assert len(made[0]["contenders"]) == 30
    assert len(page(*made).encode()) <= 1_000_000


def test_a_thousand_columns_are_cut_and_said():
    made = sample(optimizers=("adam", "sgd"), rows=50, epochs=2)
    made[0]["columns"] = [
        {"name": f"c{i}", "kind": "number", "used": i != 999, "reason": "constant", "missing": 0, "distinct": 3}
        for i in range(1000)
    ]
    text = Reader(page(*made)).text
    assert "c999" in text and "c249" not in text
    assert "of 1,000 are listed" in text


def test_a_stopped_comparison_says_so_and_how_to_go_on():
    result, runs, judged = sample(finished=5, rows=50, epochs=2)
    text = Reader(page(result, runs, judged)).text
    assert "5 of 18 contenders finished" in text
    assert text.index(result["command"]) < text.index(result["recommendation"]["text"])
    assert "out of budget: not reached before the comparison was stopped" in text
    assert "downslope predict" not in text


def test_without_the_command_one_with_every_choice_is_written_out():
    result, runs, judged = sample("binary", optimizers=("adam", "sgd"), rows=50, epochs=2)
    del result["command"]
    text = Reader(page(result, runs, judged)).text
    assert "downslope compare adult.csv \\ --target income \\ --positive '>50K' \\ --metric roc_auc" in text
    assert "--losses binary_cross_entropy,hinge \\ --optimizers adam,sgd \\ --model 'mlp(widths=[64, 64], dropout=0)'" in text
    result["source"] = "a data frame"
    assert "downslope compare" not in Reader(page(result, runs, judged)).text


def test_long_advice_opens_with_two_sentences_and_warnings_are_said_once():
    result, runs, judged = sample(optimizers=("adam", "sgd"), rows=50, epochs=2)
    result["warnings"] = ["there is a date column (sold_on)."]
    result["recommendation"]["text"] = "Use it at rate 0.1. It is best. The others are worse. There is a date column (sold_on)."
    reader = Reader(page(result, runs, judged))
    assert "Use it at rate\u00a00.1. It is best." in reader.words and "The others are worse." in reader.words
    assert reader.text.lower().count("there is a date column (sold_on).") == 1


def test_page_and_picture_show_the_intervals_of_the_ranking():
    result, runs, judged = sample(optimizers=("adam", "sgd"), rows=50, epochs=2)
    for one in result["contenders"]:
        one["metrics"]["rmse"] = {"mean": one["score"]["mean"], "low": 777.0, "high": 888.0}
    text = Reader(page(result, runs, judged)).text
    assert not re.search(r"\b777\b|\b888\b|\b800 to 900\b", text)


def test_one_stopped_before_anything_finished_is_still_a_page():
    result, _, _ = sample(finished=0)
    text = Reader(page(result, [], {})).text
    assert "0 of 18 contenders finished" in text
    assert "No curves were recorded." in text and "No judged rows are at hand." in text


@pytest.mark.parametrize("task", ["regression", "multiclass"])
def test_when_everything_diverged_there_is_no_winner_and_no_model(task):
    result, runs, judged = sample(task, diverged=("all",))
    text = Reader(page(result, runs, judged)).text
    assert result["recommendation"]["text"] in text
    assert "Tied with the best" not in text
    assert "downslope predict" not in text
    assert text.count("diverged: left the finite numbers") >= len(result["contenders"])


def test_a_single_contender():
    result, runs, judged = sample(optimizers=("adam",), losses={"huber": 0.0}, rows=60, epochs=3)
    text = Reader(page(result, runs, judged)).text
    assert "the only contender" in text
    assert "How well can price be predicted?" in text and "Loss × optimizer" not in text
    assert "Runner-up" not in text


def test_an_incompatible_contender_is_a_row_and_nothing_else():
    result, runs, judged = sample(optimizers=("adam", "sgd"), rows=50, epochs=2, diverged=("squared_error × adam",))
    one = result["contenders"][0]
    one.update(
        status="incompatible", reason="not for this task", settings={}, grid=[], bytes_per_parameter=None, updates=0, loss="hinge"
    )
    one["id"] = "hinge × adam"
    reader = Reader(page(result, runs, judged))
    assert "incompatible: not for this task" in reader.text and "None" not in reader.text
    assert not any("Support-Vector" in words for words in reader.words)


def test_the_target_is_listed_as_such():
    result, runs, judged = sample(optimizers=("adam",), rows=50, epochs=2)
    target = {"name": "price", "kind": "number", "used": False, "reason": "target", "missing": 0, "distinct": 3842}
    result["columns"].append(target)
    text = Reader(page(result, runs, judged)).text
    assert "price number the target" in text and "left out: target" not in text
    assert "4 columns used, 2 left out." in text


def test_a_given_rate_is_not_drawn_as_a_search():
    result, runs, judged = sample(optimizers=("adam",), losses={"huber": 0.0}, rows=50, epochs=2)
    result["contenders"][0]["grid"] = result["contenders"][0]["grid"][:1]
    result["tunability"] = []
    reader = Reader(page(result, runs, judged))
    assert "No learning rates were compared." in reader.text
    figures = {attrs["id"] for tag, attrs in reader.tags if tag == "figure"}
    assert not [name for name in figures if name.startswith(("rate", "tuning", "heat"))]


def test_a_better_linear_model_and_a_restless_twin_are_said():
    result, runs, judged = sample(optimizers=("adam", "sgd"), rows=50, epochs=2)
    result["controls"]["linear"]["tied_with_best"] = True
    result["controls"]["twin"]["tied"] = False
    text = Reader(page(result, runs, judged)).text
    assert "a linear model is enough" in text
    assert "the noise exceeds the claims" in text


def test_when_the_simplest_of_equals_is_recommended_the_best_mean_is_named():
    result, runs, judged = sample(optimizers=("adam", "sgd"), rows=50, epochs=2)
    assert "Runner-up: huber × adam" in Reader(page(result, runs, judged)).text
    result["recommendation"]["id"] = "huber × adam"
    assert "Best mean: squared_error × adam" in Reader(page(result, runs, judged)).text


def test_rates_on_the_border_are_flagged():
    result, runs, judged = sample(optimizers=("adam", "sgd"), rows=50, epochs=2)
    for one in result["contenders"]:
        one["at_border"] = False
    assert "No chosen rate lies on the border" in Reader(page(result, runs, judged)).text
    result["contenders"][3]["at_border"] = True
    text = Reader(page(result, runs, judged)).text
    assert (
        f"1 contender chose a rate on the border of its range, so a better one may lie beyond: {result['contenders'][3]['id']}."
        in text
    )


def test_a_notebook_shows_answer_and_ranking_as_text():
    result, _, _ = poison(*sample(optimizers=("adam", "sgd"), rows=20, epochs=2))
    reader = Reader(snippet(result))
    assert {tag for tag, _ in reader.tags} <= {"div", "p", "svg", "g", "path", "use", "text", "title", "defs", "clippath", "rect"}
    assert reader.scripts == []
    assert clean(PAYLOADS[0]) in reader.text


def test_numbers_stay_on_one_line_with_their_units(read):
    result, reader = read
    assert sentence("at learning rate 0.3, 4 % ± 1") == "at learning rate\u00a00.3, 4\u00a0% ±\u00a01"
    captions = [words for words in reader.words if "intervals" in words]
    assert captions and all("95 %" not in words for words in captions)
    assert result["recommendation"]["text"] in reader.text  # the words themselves are the result's


def test_what_has_no_code_says_why():
    result, runs, judged = sample(optimizers=("adam", "sgd"), rows=50, epochs=2)
    result["recommendation"]["code_missing"] = {"scikit-learn": "it clips no gradients", "keras": "it has no huber"}
    text = Reader(page(result, runs, judged)).text
    assert "Not written for scikit-learn: it clips no gradients; Keras: it has no huber." in text


def test_without_times_there_are_no_seconds():
    result, runs, judged = sample(optimizers=("adam", "sgd"), rows=50, epochs=2)
    assert "scores-seconds" in page(result, runs, judged)
    result["timing"] = {}
    made = page(result, runs, judged)
    assert "scores-seconds" not in made and 'id="scores"' in made
