"""The operator's colour, made readable: whatever is picked, words on it and words in it keep a contrast of 4.5 to 1.

Contrast as WCAG 2.2 defines it (relative luminance, 1.4.3). The colour arrives as a small stylesheet, because the pages
allow no inline style.
"""

from __future__ import annotations

import hashlib
import re
from functools import lru_cache

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.views.decorators.cache import cache_control

Colour = tuple[int, int, int]

ENOUGH = 4.5
BLACK: Colour = (0, 0, 0)  # not merely dark: of black and white one always reaches 4.5, of softer pairs not
WHITE: Colour = (255, 255, 255)
# The surface with the least contrast that accent-coloured words are read on, in each theme: its soft tint.
LIGHT_SURFACE: Colour = (226, 229, 236)
DARK_SURFACE: Colour = (46, 49, 54)
STEPS = 40


@cache_control(public=True, max_age=86400)
def stylesheet(request: HttpRequest) -> HttpResponse:
    return HttpResponse(css(settings.PANEL_ACCENT), content_type="text/css")


@lru_cache(maxsize=4)
def css(hex_colour: str) -> str:
    accent = parse(hex_colour)
    ink = max(BLACK, WHITE, key=lambda colour: contrast(colour, accent))
    on_light, on_dark = readable(accent, LIGHT_SURFACE, BLACK), readable(accent, DARK_SURFACE, WHITE)
    return (
        f":root{{--accent:{written(accent)};--accent-ink:{written(ink)};"
        f"--accent-text:light-dark({written(on_light)},{written(on_dark)})}}\n"
    )


def version() -> str:
    """Changes when the colour does, so that browsers may keep the stylesheet."""
    return hashlib.sha256(settings.PANEL_ACCENT.encode()).hexdigest()[:8]


def parse(hex_colour: str) -> Colour:
    """`#3157d5` → (49, 87, 213). Raises ValueError for anything else."""
    if not re.fullmatch(r"#[0-9a-fA-F]{6}", hex_colour):
        raise ValueError(f"PANEL_ACCENT is {hex_colour!r}: write six hexadecimal digits, for example #3157d5")
    return int(hex_colour[1:3], 16), int(hex_colour[3:5], 16), int(hex_colour[5:7], 16)


def written(colour: Colour) -> str:
    return "#{:02x}{:02x}{:02x}".format(*colour)


def contrast(one: Colour, other: Colour) -> float:
    lighter, darker = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def readable(colour: Colour, surface: Colour, towards: Colour) -> Colour:
    """The nearest mix of the colour with `towards` that can be read on the surface."""
    for step in range(STEPS + 1):
        mix = _mixed(colour, towards, step / STEPS)
        if contrast(mix, surface) >= ENOUGH:
            return mix
    return towards


def _mixed(one: Colour, other: Colour, share: float) -> Colour:
    red, green, blue = (round(a + (b - a) * share) for a, b in zip(one, other, strict=True))
    return red, green, blue


def _luminance(colour: Colour) -> float:
    red, green, blue = (_linear(channel / 255) for channel in colour)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _linear(channel: float) -> float:
    return channel / 12.92 if channel <= 0.04045 else ((channel + 0.055) / 1.055) ** 2.4
