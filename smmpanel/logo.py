"""The operator's logo: an image of his own, read once at the start, so that one that cannot be shown ends the start.

What kind of image it is its content says, not its name: it is served with that type.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from pathlib import Path

from smmpanel.environment import BadSetting, Environment

MOST_BYTES = 300_000  # a logo of a few kB loads at once; every visitor fetches it
SVG = "image/svg+xml"
_SVG = re.compile(  # what may stand before the root; nothing is tried twice
    rb"\A(?:\xef\xbb\xbf)?(?:\s|<\?xml[^>]*>|<!--(?>.*?-->)|<!DOCTYPE[^>\[]*(?:\[[^\]]*\]\s*)?>)*+<svg[\s>]", re.DOTALL
)


@dataclass(frozen=True, slots=True)
class Logo:
    """Its bytes and what they are; `version` changes with them, so that browsers may keep it."""

    content: bytes
    type: str

    @property
    def version(self) -> str:
        return hashlib.sha256(self.content).hexdigest()[:8]


def logo_setting(env: Environment, folder: Path) -> Logo | None:
    """PANEL_LOGO: an image's path, from `folder` (the data folder) where it is not absolute. None where it is unset."""
    named = str(env("PANEL_LOGO", default=""))
    if not named:
        return None
    path = folder / Path(named).expanduser()
    try:
        with path.open("rb") as file:
            content = file.read(MOST_BYTES + 1)
    except (OSError, ValueError) as error:  # a path with a NUL is a ValueError
        why = getattr(error, "strerror", None) or "no path"
        raise BadSetting("PANEL_LOGO", f"names {path}, which cannot be read ({why}): put the image there.") from None
    if len(content) > MOST_BYTES:
        raise BadSetting("PANEL_LOGO", f"names {path}, which is larger than {MOST_BYTES // 1000} kB: make it smaller.")
    kind = type_of(content)
    if kind is None:
        raise BadSetting("PANEL_LOGO", f"names {path}, which is no SVG, PNG, WebP or JPEG image: choose one of these.")
    return Logo(content, kind)


def type_of(content: bytes) -> str | None:
    """By how the bytes begin; None for anything that is not shown."""
    if content.startswith(b"\x89PNG\r\n\x1a\n"):
        return "image/png"
    if content.startswith(b"\xff\xd8\xff"):
        return "image/jpeg"
    if content[:4] == b"RIFF" and content[8:12] == b"WEBP":
        return "image/webp"
    return SVG if _SVG.match(content) else None
