"""An amount in Chinese capital characters, both ways (I9): 1030.05 is 壹仟零叁拾元零伍分. Pure.

Rules: 会计基础工作规范 art. 52 and 支付结算办法 annex 1 (正确填写票据和结算凭证的基本规定).
"""

import re

# 999,999,999,999.99: 玖仟玖佰玖拾玖亿…; larger amounts have no one agreed spelling.
CAPITALS_MAX = 10**14 - 1

_DIGITS = "零壹贰叁肆伍陆柒捌玖"
_PLACES = ("", "拾", "佰", "仟")
_SECTIONS = ("", "万", "亿")
_NEGATIVE = "（负数）"
# Prefixes that name the currency where it isn't the renminbi, as invoices write them.
_CURRENCIES = {"CNY": "", "HKD": "港币", "MOP": "澳门币", "EUR": "欧元", "USD": "美元"}

# Other spellings that documents of the mainland, Hong Kong and Macao use.
_VARIANTS = str.maketrans("〇圆圓貳貮參叄陸億萬兩負數", "零元元贰贰叁叁陆亿万贰负数")
_SECTION = re.compile(
    "(?:([零壹贰叁肆伍陆柒捌玖])仟)?零?(?:([壹贰叁肆伍陆柒捌玖])佰)?零?"
    "(?:([壹贰叁肆伍陆柒捌玖])?拾)?零?([壹贰叁肆伍陆柒捌玖])?"
)


class NotCapitals(ValueError):
    """Text that is not an amount in Chinese capital characters."""


def format_capitals(amount_minor: int, currency: str = "CNY") -> str:
    """Hundredths in capitals, with 整 when there are no 分; negative amounts begin with （负数）.

    Raises NotCapitals for an amount or a currency that can't be written.
    """
    if abs(amount_minor) > CAPITALS_MAX:
        raise NotCapitals("the amount is too large")
    if currency not in _CURRENCIES:
        raise NotCapitals(f"no Chinese name is known for {currency}")
    yuan, cents = divmod(abs(amount_minor), 100)
    text = _format_yuan(yuan) + "元" if yuan else ""
    text += _format_cents(cents, after_yuan=bool(yuan))
    if cents % 10 == 0:
        text += "整"
    if amount_minor == 0:
        text = "零元整"
    return (_NEGATIVE if amount_minor < 0 else "") + _CURRENCIES[currency] + text


def parse_capitals(text: str) -> int:
    """The amount in hundredths. Takes 圆, 圓, 正 and traditional characters too.

    Only what `format_capitals` would write, up to those spellings, is taken, so that no two
    amounts share a text. Raises NotCapitals.
    """
    if len(text) > 100:
        raise NotCapitals("too long")
    plain = text.strip().translate(_VARIANTS).replace("(负数)", _NEGATIVE)
    if plain.endswith("正"):
        plain = plain[:-1] + "整"
    plain = plain.removeprefix("人民币")
    is_negative = plain.startswith((_NEGATIVE, "负"))
    plain = plain.removeprefix(_NEGATIVE).removeprefix("负")
    for name in _CURRENCIES.values():
        plain = plain.removeprefix(name)
    amount = _parse_plain(plain)
    if not _is_same(plain, format_capitals(amount)):
        raise NotCapitals(text)
    return -amount if is_negative else amount


def _format_yuan(yuan: int) -> str:
    """Sections of four digits; 零 stands once for a gap inside the number."""
    text, gap = "", False
    for section in range(len(_SECTIONS) - 1, -1, -1):
        value = yuan // 10_000**section % 10_000
        if value == 0:
            gap = bool(text)
            continue
        if text and (gap or value < 1000):
            text += "零"
        text += _format_section(value) + _SECTIONS[section]
        gap = False
    return text


def _format_section(value: int) -> str:
    text, gap = "", False
    for place in range(3, -1, -1):
        digit = value // 10**place % 10
        if digit == 0:
            gap = bool(text)
            continue
        text += ("零" if gap else "") + _DIGITS[digit] + _PLACES[place]
        gap = False
    return text


def _format_cents(cents: int, *, after_yuan: bool) -> str:
    tenths, hundredths = divmod(cents, 10)
    text = _DIGITS[tenths] + "角" if tenths else ""
    if hundredths:
        text += ("零" if after_yuan and not tenths else "") + _DIGITS[hundredths] + "分"
    return text


def _parse_plain(text: str) -> int:
    if not any(char in _DIGITS or char == "拾" for char in text):
        raise NotCapitals(text)
    body = text.removesuffix("整")
    yuan_text, mark, cents_text = body.rpartition("元")
    if not mark:
        yuan_text, cents_text = "", body
    yuan = 0 if yuan_text in ("", "零") else _parse_yuan(yuan_text)
    return yuan * 100 + _parse_cents(cents_text)


def _parse_yuan(text: str) -> int:
    """Everything before 亿 counts in 10**8, everything before 万 in 10**4."""
    for mark, unit in (("亿", 10**8), ("万", 10**4)):
        if mark in text:
            high, _, low = text.rpartition(mark)
            return _parse_section(high) * unit + (_parse_yuan(low) if low else 0)
    return _parse_section(text)


def _parse_section(text: str) -> int:
    found = _SECTION.fullmatch(text.removeprefix("零"))
    if found is None:
        raise NotCapitals(text)
    value = 0
    for place, char in zip((1000, 100, 10, 1), found.groups(), strict=True):
        value += (_DIGITS.index(char) if char else 0) * place
    return value + (10 if text.removeprefix("零").startswith("拾") else 0)


def _parse_cents(text: str) -> int:
    found = re.fullmatch(f"(?:零?([{_DIGITS}])角)?(?:零?([{_DIGITS}])分)?零?", text)
    if found is None:
        raise NotCapitals(text)
    return sum(
        (_DIGITS.index(char) if char else 0) * unit
        for char, unit in zip(found.groups(), (10, 1), strict=True)
    )


def _is_same(text: str, written: str) -> bool:
    """Equal but for what the rules leave open: 整 after 角, 零 between 元 and 角, 壹 before 拾."""

    def plain(value: str) -> str:
        value = value.removesuffix("整").replace("零元", "元" if value != "零元整" else "零元")
        return value.replace("零", "").replace("壹拾", "拾")

    return plain(text) == plain(written)
