"""Figures, money, shares, dates: written one way everywhere; unknown is a word."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
import time_machine
from django.utils import translation

from changde.web.keyset import Total
from changde.web.templatetags import web


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (3218, "3,218 元"),
        (Decimal("3218.50"), "3,218.50 元"),
        (Decimal("3218.00"), "3,218 元"),
        (0, "0 元"),
        (-620, "−620 元"),
        (Decimal("1234567.005"), "1,234,567.01 元"),
        ("2952", "2,952 元"),
    ],
)
def test_money_is_grouped_and_shows_fen_only_when_there_are_any(value, shown):
    assert web.money(value) == shown


@pytest.mark.parametrize("write", [web.money, web.amount, web.share, web.number, web.signed, web.day, web.moment])
def test_unknown_is_a_word_and_never_zero(write):
    assert "未知" in write(None)
    assert "0" not in write(None)


@pytest.mark.parametrize(
    ("value", "shown"),
    [(0.1236, "12.4 %"), (Decimal("0.02"), "2.0 %"), (1, "100.0 %"), (0, "0.0 %"), (-0.05, "−5.0 %")],
)
def test_shares_have_one_place_and_a_space(value, shown):
    assert web.share(value) == shown


def test_changes_carry_their_sign():
    assert [web.signed(value) for value in (12, -3, 0)] == ["+12", "−3", "0"]


def test_times_are_local_and_written_as_the_offices_write_them():
    moment = datetime(2026, 11, 23, 18, 5, tzinfo=UTC)
    assert web.day(moment) == "2026-11-24"
    assert web.clock(moment) == "02:05"
    assert web.moment(moment) == "2026-11-24 02:05"
    assert web.day(date(2026, 11, 23)) == "2026-11-23"


@time_machine.travel("2026-11-23 12:00:00+08:00", tick=False)
@pytest.mark.parametrize(
    ("past", "shown"),
    [
        (timedelta(seconds=20), "刚刚"),
        (timedelta(minutes=3), "3 分钟前"),
        (timedelta(hours=5), "5 小时前"),
        (timedelta(days=2, hours=1), "2 天前"),
        (timedelta(days=-3), "还有 3 天"),
    ],
)
def test_age_is_told_in_the_largest_unit(past, shown):
    now = datetime(2026, 11, 23, 4, 0, tzinfo=UTC)
    assert web.ago(now - past) == shown


def test_a_total_says_when_it_is_an_estimate():
    assert web.total(Total(1234, exact=True)) == "1,234"
    assert web.total(Total(23_412, exact=False)) == "约 23,000"
    assert web.total(Total(1000, exact=False, more_than=True)) == "超过 1,000"


def test_badges_carry_text_and_icon_and_never_colour_alone():
    badge = web.badge("outcome", "absolute")
    assert "绝对贫困" in badge
    assert "<svg" in badge


def test_an_unnamed_value_is_shown_as_it_is_and_escaped():
    assert "&lt;b&gt;" in web.badge("outcome", "<b>")
    assert web.badge("outcome", None) == ""


def test_words_follow_the_language():
    with translation.override("en"):
        assert "Absolute" in web.badge("outcome", "absolute")
        assert "unknown" in web.money(None).lower()


def test_a_bar_keeps_inside_its_box():
    assert 'width="100.0"' in web.bar(7, 5)
    assert 'width="0.0"' in web.bar(-2, 5)
    assert web.bar(None, 5) == ""
