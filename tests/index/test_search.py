"""Richer questions are answered alike by both databases, and only from what the asker sees."""

from typing import Any, ClassVar

import pytest

from hansa.appkit.application import Application, Column, Row, Table
from hansa.appkit.route import AnyOf, Condition, Related, Wanted
from hansa.encoding.canonical import encode_canonical
from hansa.index.search import Search, WrongQuestion
from hansa.index.shape import Shape
from hansa.index.sight import STRANGER, Viewer
from hansa.index.store import Index
from hansa.ledger.contracts import Contract
from hansa.ledger.model import Record, Visibility

pytestmark = pytest.mark.slow


class Letter(Record, frozen=True, kw_only=True):
    """A letter, for its two parties."""

    KIND: ClassVar[str] = "letter"

    id: str
    sender: str
    reader: str
    words: tuple[str, ...]
    weight: int | None

    def parties(self) -> tuple[str, ...]:
        return (self.sender, self.reader)


class Stamp(Record, frozen=True, kw_only=True):
    """The stamp of a letter, for everybody; it has the letter's identifier."""

    KIND: ClassVar[str] = "stamp"
    VISIBILITY: ClassVar[Visibility] = "public"

    id: str
    colour: str


def project_letter(letter: Letter) -> Row:
    return {"id": letter.id, "sender": letter.sender, "weight": letter.weight}


def project_words(letter: Letter) -> list[Row]:
    return [{"word": word} for word in letter.words]


POST = Application(
    name="post",
    title="Post",
    contract=Contract("post"),
    records=(Letter, Stamp),
    tables=(
        Table(
            "letters",
            Letter,
            (Column("id"), Column("sender"), Column("weight", "integer")),
            project_letter,
        ),
        Table("words", Letter, (Column("word"),), project_words),
        Table("stamps", Stamp, (Column("colour"),), lambda stamp: {"colour": stamp.colour}),
    ),
)
ANN, BOB = Viewer("ann", ("ann",)), Viewer("bob", ("bob",))
LETTERS = [
    ("a1", "ann", "bob", ("Hello", "world"), 5, "red"),
    ("a2", "ann", "cat", ("hello", "100%"), None, "red"),
    ("b1", "bob", "ann", ("über", "[x]"), 5, "blue"),
    ("b2", "bob", "cat", ("a_b", "a\\b"), 7, "blue"),
]


@pytest.fixture
def index(database: str) -> Any:
    found = Index.open(database, Shape([POST]), "search")
    changes = []
    for id_, sender, reader, words, weight, colour in LETTERS:
        letter = {"id": id_, "sender": sender, "reader": reader, "words": words, "weight": weight}
        changes.append((f"post/letter/{id_}".encode(), encode_canonical({"v": 1, **letter})))
        stamp = encode_canonical({"v": 1, "id": id_, "colour": colour})
        changes.append((f"post/stamp/{id_}".encode(), stamp))
    found.apply((), changes)
    yield found
    found.close()


def ask(index: Index, viewer: Viewer, *wanted: Wanted, table: str = "letters") -> list[str]:
    rows, _place = Search(index, "post", viewer).list_rows(
        table, wanted, order="key", descending=False, after=None, limit=100
    )
    return [row["key"].rpartition("/")[2] for row in rows]


def word(pattern: str) -> Related:
    return Related("words", (Condition("word", "like", pattern),))


def test_conditions_mean_the_same_in_both_databases(index: Index) -> None:
    assert ask(index, ANN) == ["a1", "a2", "b1"] and ask(index, BOB) == ["a1", "b1", "b2"]
    assert ask(index, STRANGER) == [] and ask(index, STRANGER, table="stamps") != []
    for pattern, found in {
        "Hello": ["a1"],
        "hello": ["a2"],
        "?ello": ["a1", "a2"],
        "*%": ["a2"],
        "%": [],
        "[x]": ["b1"],
        "?ber": ["b1"],
        "*": ["a1", "a2", "b1"],
    }.items():
        assert ask(index, ANN, word(pattern)) == found, pattern
    assert ask(index, BOB, word("a_b")) == ["b2"] and ask(index, BOB, word("a\\b")) == ["b2"]
    assert ask(index, BOB, word("a?b")) == ["b2"] and ask(index, BOB, word("_")) == []
    assert ask(index, ANN, Condition("weight", "none")) == ["a2"]
    assert ask(index, ANN, Condition("weight", "some"), Condition("weight", "below", 6)) == [
        "a1",
        "b1",
    ]
    assert ask(index, ANN, AnyOf((word("world"), word("über")))) == ["a1", "b1"]


def test_related_rows_of_another_kind_have_the_same_identifier(index: Index) -> None:
    red = Related("stamps", (Condition("colour", "is", "red"),))
    assert ask(index, ANN, red) == ["a1", "a2"]
    mine = Related("letters", (Condition("weight", "is", 5),))
    assert ask(index, ANN, mine, table="stamps") == ["a1", "b1"]
    assert ask(index, STRANGER, mine, table="stamps") == []
    search = Search(index, "post", BOB)
    there = Related("letters", ())
    assert search.list_values("stamps", "colour", (there,), after=None, limit=9) == ["blue", "red"]
    heavy = Related("letters", (Condition("weight", "is", 7),))
    assert search.list_values("stamps", "colour", (heavy,), after=None, limit=9) == ["blue"]
    search = Search(index, "post", STRANGER)
    assert search.list_values("stamps", "colour", (there,), after=None, limit=9) == []


@pytest.mark.parametrize("descending", [False, True])
def test_rows_are_in_the_order_asked_for_and_pages_part_them(
    index: Index, descending: bool
) -> None:
    search = Search(index, "post", Viewer("x", ("ann", "bob")))
    found: list[tuple[int, str]] = []
    after = None
    while True:
        rows, after = search.list_rows(
            "letters", (), order="weight", descending=descending, after=after, limit=1
        )
        found += [(row["weight"], row["id"]) for row in rows]
        if after is None:
            break
    assert found == sorted([(5, "a1"), (5, "b1"), (7, "b2")], reverse=descending)


def test_what_there_is_not_is_a_wrong_question(index: Index) -> None:
    search = Search(index, "post", ANN)
    for wanted in (Condition("colour", "is", "x"), Related("nothing", ())):
        with pytest.raises(WrongQuestion):
            search.list_values("letters", "id", (wanted,), after=None, limit=1)
    with pytest.raises(WrongQuestion):
        search.list_rows("letters", (), order="x", descending=False, after=None, limit=1)
    with pytest.raises(WrongQuestion):
        search.list_rows("letters", (), order="key", descending=False, after=(1,), limit=1)
