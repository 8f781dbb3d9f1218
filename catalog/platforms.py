"""Which network a category is about, read from its name: what customers choose by first.

An operator's own word (`Category.platform`) goes before what is recognised here.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from functools import lru_cache

from catalog.models import Category
from catalog.searching import folded

#: platform → how providers write it; a word of three letters or fewer must stand alone, a longer one may go on
WORDS = {
    "Instagram": ("instagram", "insta", "ig", "инстаграм", "инста"),
    "TikTok": ("tiktok", "tik tok", "тикток", "тик ток"),
    "YouTube": ("youtube", "you tube", "yt", "ютуб"),
    "Telegram": ("telegram", "tg", "телеграм", "телеграмм"),
    "Facebook": ("facebook", "fb", "фейсбук"),
    "X (Twitter)": ("twitter", "x.com", "твиттер"),
    "VK": ("vk", "vkontakte", "вк", "вконтакте"),
    "WhatsApp": ("whatsapp", "ватсап"),
    "Threads": ("threads",),
    "Discord": ("discord", "дискорд"),
    "Twitch": ("twitch", "твич"),
    "Kick": ("kick.com", "kick"),
    "Spotify": ("spotify",),
    "SoundCloud": ("soundcloud",),
    "Apple Music": ("apple music",),
    "Deezer": ("deezer",),
    "Shazam": ("shazam",),
    "LinkedIn": ("linkedin",),
    "Pinterest": ("pinterest",),
    "Reddit": ("reddit",),
    "Snapchat": ("snapchat",),
    "Quora": ("quora",),
    "Tumblr": ("tumblr",),
    "Medium": ("medium.com",),
    "Bluesky": ("bluesky",),
    "Rumble": ("rumble",),
    "Dailymotion": ("dailymotion",),
    "Vimeo": ("vimeo",),
    "Rutube": ("rutube", "рутуб"),
    "Odnoklassniki": ("ok.ru", "odnoklassniki", "одноклассники"),
    "Dzen": ("dzen", "yandex zen", "дзен"),
    "Likee": ("likee",),
    "Kwai": ("kwai",),
    "Clubhouse": ("clubhouse",),
    "Steam": ("steam",),
    "Google": ("google", "гугл"),
    "Website traffic": ("website", "web traffic", "traffic", "трафик"),
}
ALONE = 3
_PLATFORM_OF = {word: platform for platform, words in WORDS.items() for word in words}
_WORD = re.compile(
    r"(?<!\w)(?:"
    + "|".join(
        f"({re.escape(word)})" + (r"(?!\w)" if len(word) <= ALONE else "")
        for word in sorted(_PLATFORM_OF, key=len, reverse=True)
    )
    + ")"
)
_LONE_X = re.compile(r"\W*x(?!\w)")


def platform_of(category: Category) -> str:
    """The operator's word, or the first network that the name names; "" for neither."""
    return category.platform or recognised(category.name)


@lru_cache(maxsize=4096)
def recognised(name: str) -> str:
    """The network that is named first in a category's name; "" where none is."""
    text = folded(name)
    if _LONE_X.match(text):  # its letter stands for "times" anywhere but in front
        return "X (Twitter)"
    found = _WORD.search(text)
    return _PLATFORM_OF[found[0]] if found else ""


def platforms(categories: Iterable[Category]) -> Sequence[str]:
    """The platforms of these categories, each once, in the order in which they come."""
    return [name for name in dict.fromkeys(platform_of(category) for category in categories) if name]
