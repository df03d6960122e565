"""Looks for the reasons behind a finished ranking: every cause is examined, and its sentence made from its record alone."""

from collections.abc import Mapping
from typing import Any

from downslope.comparison.assemble import Evidence
from downslope.comparison.counterfactual import Trials
from downslope.comparison.rank import Ranking
from downslope.comparison.reasons import catalogue
from downslope.comparison.reasons.base import NOT_TESTED, Case, Record
from downslope.comparison.wording import capital


def reasons(evidence: Evidence, ranking: Ranking, data: Mapping[str, Any], chosen: str, trials: Trials) -> list[Record]:
    """A record for each cause that makes sense for the task, in the order of importance, each with its sentence."""
    constant = data.get("controls", {}).get("constant", {}).get("metrics", {})
    case = Case(
        evidence,
        ranking,
        next(one for one in evidence.contenders if one.id == chosen),
        {name: value["mean"] for name, value in constant.items()},
        trials,
    )
    causes = sorted((catalogue[name]() for name in catalogue.names), key=lambda cause: (cause.rank, cause.title))
    found = [record for cause in causes if (record := cause.examine(case)) is not None]
    return [record | {"sentence": sentence(record)} for record in found]


def sentence(record: Record) -> str:
    """What a record says; nothing where its cause was not put to the test."""
    return "" if record["verdict"] == NOT_TESTED else capital(catalogue[record["cause"]]().sentence(record))
