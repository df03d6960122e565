"""Names that somebody might plant in a table, and a result in which every name is one of them."""

from itertools import cycle
from typing import Any

PAYLOADS = (
    "<script>window.hacked=1</script>",
    "</script><script>window.hacked=1</script>",
    "<img src=x onerror=window.hacked=1>",
    "<svg onload=window.hacked=1>",
    "</title><script>window.hacked=1</script>",
    "</style><script>window.hacked=1</script>",
    "</svg><script>window.hacked=1</script>",
    '"><script>window.hacked=1</script>',
    "'><script>window.hacked=1</script>",
    '" onmouseover="window.hacked=1',
    "' onmouseover='window.hacked=1",
    '" onfocus=window.hacked=1 autofocus x="',
    "javascript:window.hacked=1",
    "<a href=javascript:window.hacked=1>x</a>",
    "<iframe srcdoc='<script>parent.hacked=1</script>'></iframe>",
    "<body onload=window.hacked=1>",
    "<meta http-equiv=refresh content=0;url=//example.invalid>",
    "<base href=//example.invalid>",
    "<link rel=stylesheet href=//example.invalid/x.css>",
    "<style>@import url(//example.invalid/x.css);</style>",
    "<form action=//example.invalid><button>x</button></form>",
    "<!--<script>window.hacked=1</script>",
    "--><script>window.hacked=1</script>",
    "<![CDATA[<script>window.hacked=1</script>]]>",
    "&lt;script&gt;window.hacked=1&lt;/script&gt;",
    "{{ 7 * 7 }}{% raw %}{{ self }}",
    "${window.hacked=1}`${window.hacked=1}`",
    "\u2028window.hacked=1\u2029//",
    "\x1b[31m\x00\x07<b>bold</b>\u202egnp.exe",
    r"$\frac{1}{0}$ <math><mi//xlink:href='data:x,<script>window.hacked=1</script>'>",
    "=HYPERLINK(window.hacked=1)",
    '@SUM(1)" id="numbers',
)


def poison(result: dict[str, Any], runs: list[dict[str, Any]], judged: dict[str, Any]) -> tuple[Any, Any, Any]:
    """The same comparison with a payload wherever a word can come from outside."""
    payloads = cycle(PAYLOADS)
    names = {one["id"]: f"{next(payloads)} × {next(payloads)}" for one in result["contenders"]}
    for one in result["contenders"]:
        loss, _, optimizer = names[one["id"]].partition(" × ")
        settings = {f"s{next(payloads)}": next(payloads)} | one["settings"]
        one.update(id=names[one["id"]], loss=loss, optimizer=optimizer, settings=settings, reason=next(payloads))
    for row in runs:
        row["contender"] = names[row["contender"]]
    judged = {names[key]: value for key, value in judged.items()}
    advice = result["recommendation"]
    if advice["id"] is not None:
        advice["id"] = names[advice["id"]]
    advice["text"] = "".join(PAYLOADS)
    advice["reasons"] = list(PAYLOADS)
    advice["code"] = {payload: payload for payload in PAYLOADS[:3]}
    advice["code_missing"] = {payload: payload for payload in PAYLOADS}
    result["timing"]["contender_seconds"] = {names[key]: value for key, value in result["timing"]["contender_seconds"].items()}
    for key in (
        "name",
        "source",
        "target",
        "model",
        "schedule",
        "penalty",
        "positive",
        "devices",
        "downslope",
        "command",
        "next",
    ):
        result[key] = next(payloads)
    if result["classes"]:
        result["classes"] = [next(payloads) for _ in result["classes"]]
    for metric in (result["metric"], *result["metrics"]):
        metric["title"] = next(payloads)
    result["columns"] = [
        {"name": p, "kind": p, "used": i % 2 == 0, "reason": p, "missing": 0, "distinct": 1} for i, p in enumerate(PAYLOADS)
    ]
    result["notes"] = result["warnings"] = list(PAYLOADS)
    result["rows"]["dropped"] = dict.fromkeys(PAYLOADS, 1)
    result["versions"] = {payload: payload for payload in PAYLOADS}
    result["split"]["words"] = result["budget"]["words"] = "".join(PAYLOADS)
    result["papers"] = [{"name": payload, "text": payload, "url": payload} for payload in PAYLOADS]
    result["controls"].get("twin", {})["of"] = next(payloads)
    return result, runs, judged
