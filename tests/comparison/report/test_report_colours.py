"""The palette can be read: text on every ground, lines on paper, in light and dark."""

import pytest

from downslope.comparison.report import palette


def luminance(colour: str) -> float:
    channels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("colours", [palette.LIGHT, palette.DARK], ids=["light", "dark"])
def test_contrast(colours):
    grounds = [colours[name] for name in ("paper", "card", "tie")]
    for name in ("ink", "muted", "accent", "warn", "bad"):
        for ground in grounds:
            assert contrast(colours[name], ground) >= 4.5, (name, ground)
    for level in range(palette.STEPS):
        assert contrast(colours["ink"], colours[f"heat{level}"]) >= 4.5, level
    for name in [f"line{i}" for i in range(palette.LINES)] + ["edge"]:
        assert contrast(colours[name], colours["paper"]) >= 3, name
