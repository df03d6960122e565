"""How a run ended."""

import enum


class Status(enum.StrEnum):
    """How a run, or a contender with all its runs, ended."""

    OK = "ok"
    DIVERGED = "diverged"
    OUT_OF_BUDGET = "out_of_budget"
    INCOMPATIBLE = "incompatible"
