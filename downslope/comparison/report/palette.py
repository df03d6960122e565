"""The page's colours in light and dark; pictures are drawn in the light ones and follow the reader's choice by name."""


def ramp(start: str, end: str, steps: int = 9) -> list[str]:
    """Colours from `start` to `end` in equal steps."""
    ends = [[int(colour[i : i + 2], 16) for i in (1, 3, 5)] for colour in (start, end)]
    mixed = ([round(a + (b - a) * step / (steps - 1)) for a, b in zip(*ends, strict=True)] for step in range(steps))
    return ["#{:02x}{:02x}{:02x}".format(*channels) for channels in mixed]


def named(prefix: str, colours: list[str]) -> dict[str, str]:
    """Numbered names for a row of colours."""
    return {f"{prefix}{i}": colour for i, colour in enumerate(colours)}


STEPS = 9
"""Levels of the heat maps, worst first."""

LIGHT = {
    "paper": "#fcfbf8",
    "card": "#ffffff",
    "ink": "#1c2430",
    "muted": "#566070",
    "rule": "#e4e0d7",
    "edge": "#848b95",
    "accent": "#14607a",
    "tie": "#e3eff1",
    "warn": "#8f4a0b",
    "bad": "#a32638",
    **named("line", ["#1a6f8e", "#bb5214", "#5f4b9e", "#3c7a3a", "#b0385b", "#866800", "#2c4c8c", "#6a6c70"]),
    **named("heat", ramp("#f5f2ea", "#69b2bf")),
}

DARK = {
    "paper": "#12171d",
    "card": "#1a2129",
    "ink": "#e9e6df",
    "muted": "#a3acb8",
    "rule": "#2c353f",
    "edge": "#78828e",
    "accent": "#74c4dc",
    "tie": "#1b3138",
    "warn": "#f0a860",
    "bad": "#f2879a",
    **named("line", ["#6cc3df", "#f0995c", "#b3a4f0", "#8cc985", "#ef8bab", "#dec150", "#8eb0f4", "#b7b9be"]),
    **named("heat", ramp("#1e252d", "#1e6777")),
}

LINES = 8
"""Colours for things drawn side by side; beyond these they come again."""

DASHES = ("", "6 2", "2 1.5", "7 2 1.5 2", "4 1")
"""Dashes for the same things: with eight colours, forty lines that differ."""


def style_sheet() -> str:
    """The colours as CSS variables, light first, dark where the reader's system asks for it, light again on paper."""
    light, dark = ("".join(f"--{name}:{colour};" for name, colour in colours.items()) for colours in (LIGHT, DARK))
    return f":root{{color-scheme:light dark;{light}}}\n@media screen and (prefers-color-scheme: dark){{:root{{{dark}}}}}\n"
