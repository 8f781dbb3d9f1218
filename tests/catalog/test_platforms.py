"""The network that a category's name names first, as providers write it."""

from __future__ import annotations

import pytest

from catalog.models import Category
from catalog.platforms import platform_of, platforms, recognised


@pytest.mark.parametrize(
    ("name", "platform"),
    [
        ("Instagram Followers [R30]", "Instagram"),
        ("📸 𝐈𝐧𝐬𝐭𝐚𝐠𝐫𝐚𝐦 Likes", "Instagram"),
        ("IG Story views", "Instagram"),
        ("Подписчики Инстаграма", "Instagram"),
        ("TikTok ⇄ YouTube growth", "TikTok"),
        ("Tik Tok Views", "TikTok"),
        ("YT Shorts", "YouTube"),
        ("ТЕЛЕГРАМ просмотры", "Telegram"),
        ("🔹 X Followers", "X (Twitter)"),
        ("Twitter retweets", "X (Twitter)"),
        ("Google Maps reviews", "Google"),
        ("Вконтакте", "VK"),
        ("2 x faster followers", ""),
        ("Big discounts", ""),
        ("Bigger ytterbium", ""),
        ("", ""),
    ],
)
def test_a_platform_is_recognised(name: str, platform: str) -> None:
    assert recognised(name) == platform


def test_the_operators_word_goes_first_and_each_comes_once_in_order() -> None:
    shelves = [
        Category(name="TikTok likes"), Category(name="Reviews", platform="Shops"), Category(name="Anything"),
        Category(name="Tiktok views"), Category(name="Instagram", platform="Meta"),
    ]  # fmt: skip
    assert [platform_of(shelf) for shelf in shelves] == ["TikTok", "Shops", "", "TikTok", "Meta"]
    assert platforms(shelves) == ["TikTok", "Shops", "Meta"]
