"""Transactions that a measurement sends, all made before its clock starts.

Real invoices of many sellers, signed by their keys; for peers that know no invoices, texts
`key=value` of the same lengths. Touches no files and no network.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Final

import msgspec

from hansa.apps.e_invoice.model.content import (
    InvoiceContent,
    InvoiceLine,
    InvoiceTotals,
    VatLine,
)
from hansa.apps.e_invoice.model.messages import GrantQuota, IssueInvoice, RegisterTaxpayer
from hansa.cli.template import TAX, Id, LeaguePlan, MemberPlan
from hansa.client.keys import Signer
from hansa.client.transactions import Draft, build_payload, sign_payload
from hansa.crypto.hashing import sha256
from hansa.encoding.text import encode_base64url
from hansa.primitives.identifiers import compute_uscc_digit
from hansa.primitives.limits import EXPIRY_WINDOW

APPLICATION: Final = "e_invoice"
BUREAU: Final = "tax-bureau"
# As many lanes as a small league has busy members.
SELLERS: Final = 16
SCHEME: Final = "CN-USCC"
RATE_PPM: Final = 130_000
# Long enough to sign ahead of any run here, and within the replay window at every height of it.
EXPIRY: Final = EXPIRY_WINDOW - 10

Progress = Callable[[int, int, str], None]


def build_plan(sellers: int = SELLERS) -> LeaguePlan:
    """A league of one tax bureau and so many sellers, with synthetic identifiers."""
    bureau = MemberPlan(BUREAU, "Bench Tax Bureau", "CN", (), (f"{TAX}@CN",))
    members = [
        MemberPlan(
            name_seller(number),
            f"Bench Trading {number}",
            "CN",
            (Id(SCHEME, compute_tax_number(number)),),
            ("e_invoice.seller@CN", "e_invoice.employer@CN"),
        )
        for number in range(sellers)
    ]
    return LeaguePlan(members=(bureau, *members), default=BUREAU)


def name_seller(number: int) -> str:
    """Name of a seller's key."""
    return f"seller-{number}"


def compute_tax_number(number: int) -> str:
    """A unified social credit code that nobody has, with its check digit."""
    code = f"914401{number:02d}MA5BENCH0"
    return code + compute_uscc_digit(code)


class Workload:
    """Signed transactions of one chain. Numbers of invoices are never used twice."""

    def __init__(self, chain: str, bureau: Signer, sellers: Sequence[Signer]) -> None:
        self.chain = chain
        self._bureau = bureau
        self._sellers = tuple(sellers)
        self.taxpayers = tuple(
            f"{SCHEME}:{compute_tax_number(number)}" for number in range(len(self._sellers))
        )
        self._issued = 0

    def open(self) -> bytes:
        """The bureau registers all sellers and lets them issue."""
        drafts = []
        for number, seller in enumerate(self._sellers):
            value = compute_tax_number(number)
            register = RegisterTaxpayer(
                scheme=SCHEME, value=value, member=seller.account, since="2010-01-01"
            )
            quota = GrantQuota(
                seller=self.taxpayers[number], currency="CNY", amount=10**12, count=10**7
            )
            drafts += [Draft(APPLICATION, register), Draft(APPLICATION, quota)]
        return self._sign(drafts, self._bureau)

    def issue(self, count: int, messages: int, progress: Progress | None = None) -> list[bytes]:
        """So many transactions of so many invoices each, one seller after the other."""
        made = []
        for index in range(count):
            lane = index % len(self._sellers)
            drafts = [
                Draft(APPLICATION, IssueInvoice(content=self._make_invoice(lane)))
                for _ in range(messages)
            ]
            made.append(self._sign(drafts, self._sellers[lane]))
            if progress is not None and index % 64 == 63:
                progress(index + 1, count, f"transactions of {messages} signed")
        return made

    def _make_invoice(self, lane: int) -> InvoiceContent:
        """Two lines at one rate, from one seller to the next."""
        self._issued += 1
        nets = (100_000 + self._issued % 90_000, 25_000)
        without_vat = sum(nets)
        tax = (2 * without_vat * RATE_PPM + 1_000_000) // 2_000_000
        number = f"BENCH-{self._issued:09d}"
        return InvoiceContent(
            standard="en16931",
            type_code="380",
            number=number,
            issue_date="2026-05-29",
            currency="CNY",
            seller=self.taxpayers[lane],
            buyer=self.taxpayers[(lane + 1) % len(self.taxpayers)],
            lines=tuple(
                InvoiceLine(id=str(line), net=net, category="S", rate_ppm=RATE_PPM)
                for line, net in enumerate(nets, 1)
            ),
            vat=(VatLine(category="S", rate_ppm=RATE_PPM, taxable=without_vat, tax=tax),),
            totals=InvoiceTotals(
                lines=without_vat,
                allowances=0,
                charges=0,
                without_vat=without_vat,
                vat=tax,
                with_vat=without_vat + tax,
                paid=0,
                rounding=0,
                due=without_vat + tax,
            ),
            commitment=encode_base64url(sha256(number.encode())),
        )

    def _sign(self, drafts: Sequence[Draft], signer: Signer) -> bytes:
        payload = build_payload(
            chain=self.chain,
            expiry=EXPIRY,
            drafts=drafts,
            signers=[signer.kid],
            mode="independent",
        )
        return sign_payload(payload, [(signer.kid, signer.private)])


class Texts:
    """`key=value` for peers that keep any text: never the same key twice."""

    def __init__(self) -> None:
        self._made = 0

    def make(self, lengths: Sequence[int]) -> Iterator[bytes]:
        """One text of each length in bytes (at least 32)."""
        for length in lengths:
            self._made += 1
            key = f"bench-{self._made:012d}="
            # Hex digits: what a compressor or a cache could use must not differ from signed bytes.
            filler = sha256(key.encode()).hex()
            value = (filler * (length // len(filler) + 1))[: length - len(key)]
            yield (key + value).encode()


class Prepared(msgspec.Struct, frozen=True):
    """What one run sends: `open` once at the start (empty for peers), then these in order."""

    open: tuple[bytes, ...]
    light: tuple[bytes, ...]
    heavy: dict[int, tuple[bytes, ...]]


def imitate(prepared: Prepared) -> Prepared:
    """Texts of the very lengths of `prepared`, for kvstore and the empty application."""
    texts = Texts()
    return Prepared(
        open=(),
        light=tuple(texts.make([len(each) for each in prepared.light])),
        heavy={
            messages: tuple(texts.make([len(each) for each in sent]))
            for messages, sent in prepared.heavy.items()
        },
    )
