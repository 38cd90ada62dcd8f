"""Amounts in Chinese capital characters (I9): published examples, and every amount both ways."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hansa.primitives.capitals import (
    CAPITALS_MAX,
    NotCapitals,
    format_capitals,
    parse_capitals,
)

# 正确填写票据和结算凭证的基本规定 (支付结算办法, annex 1): its examples, with their amounts.
PUBLISHED = [
    (140950, "人民币壹仟肆佰零玖元伍角"),
    (600714, "人民币陆仟零柒元壹角肆分"),
    (168032, "人民币壹仟陆佰捌拾元零叁角贰分"),
    (10700053, "人民币壹拾万柒仟元零伍角叁分"),
    (10700053, "人民币壹拾万零柒仟元伍角叁分"),
    (1640902, "人民币壹万陆仟肆佰零玖元零贰分"),
    (32504, "人民币叁佰贰拾伍元零肆分"),
]


@pytest.mark.parametrize(("amount", "text"), PUBLISHED)
def test_the_published_examples_are_read(amount: int, text: str) -> None:
    assert parse_capitals(text) == amount


@pytest.mark.parametrize(
    ("amount", "text"),
    [
        (0, "零元整"),
        (1, "壹分"),
        (50, "伍角整"),
        (105, "壹元零伍分"),
        (1000, "壹拾元整"),
        (103005, "壹仟零叁拾元零伍分"),
        (1640902, "壹万陆仟肆佰零玖元零贰分"),
        (100_000_000_00, "壹亿元整"),
        (100_000_001_00, "壹亿零壹元整"),
        (1_0001_0001_00, "壹亿零壹万零壹元整"),
        (CAPITALS_MAX, "玖仟玖佰玖拾玖亿玖仟玖佰玖拾玖万玖仟玖佰玖拾玖元玖角玖分"),
        (-50000, "（负数）伍佰元整"),
    ],
)
def test_an_amount_is_written(amount: int, text: str) -> None:
    assert format_capitals(amount) == text


@given(st.integers(-CAPITALS_MAX, CAPITALS_MAX))
def test_every_amount_comes_back(amount: int) -> None:
    assert parse_capitals(format_capitals(amount)) == amount


@given(st.integers(0, CAPITALS_MAX), st.integers(0, CAPITALS_MAX))
def test_no_two_amounts_share_a_text(one: int, other: int) -> None:
    assert (format_capitals(one) == format_capitals(other)) == (one == other)


@given(st.integers(1, CAPITALS_MAX), st.sampled_from(("圆", "圓", "元")), st.sampled_from("整正"))
def test_other_spellings_are_the_same_amount(amount: int, unit: str, end: str) -> None:
    text = format_capitals(amount).replace("元", unit).replace("整", end)
    assert parse_capitals(text) == amount
    traditional = text.translate(str.maketrans("贰叁陆亿万", "貳參陸億萬"))
    assert parse_capitals(traditional) == amount


@pytest.mark.parametrize("currency", ["CNY", "HKD", "MOP", "EUR", "USD"])
def test_the_currency_is_named_where_it_is_not_the_renminbi(currency: str) -> None:
    text = format_capitals(12345, currency)
    assert parse_capitals(text) == 12345
    assert (text == format_capitals(12345)) == (currency == "CNY")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "元",
        "整",
        "壹",
        "壹元壹元",
        "壹万壹万元整",
        "壹拾佰元整",
        "100元",
        "一百元整",
        "壹分壹角",
        *("壹亿万元整", "零", "壹元" * 60, "壹仟圆整x", "壹佰佰元整", "万元整", "负", "（负数）"),
    ],
)
def test_what_is_not_an_amount_is_refused(text: str) -> None:
    with pytest.raises(NotCapitals):
        parse_capitals(text)


@given(st.text(alphabet="零壹贰拾佰仟万亿元角分整负圆", max_size=14))
def test_any_text_is_an_amount_or_refused(text: str) -> None:
    try:
        amount = parse_capitals(text)
    except NotCapitals:
        return
    assert parse_capitals(format_capitals(amount)) == amount


def test_what_cannot_be_written_is_refused() -> None:
    for amount, currency in ((CAPITALS_MAX + 1, "CNY"), (-CAPITALS_MAX - 1, "CNY"), (1, "XXX")):
        with pytest.raises(NotCapitals):
            format_capitals(amount, currency)
