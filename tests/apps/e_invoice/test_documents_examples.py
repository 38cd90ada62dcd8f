"""The example invoices that ship with the project are the publisher's, byte for byte."""

import hashlib

from tests.apps.e_invoice.documents_data import EN16931, EXAMPLES


def test_the_shipped_examples_are_unchanged() -> None:
    sums = dict(
        reversed(line.split())
        for line in (EXAMPLES / "SHA256SUMS").read_text(encoding="utf-8").splitlines()
    )
    files = {file.name: file.read_bytes() for file in EXAMPLES.glob("*.xml")}
    assert {name: hashlib.sha256(data).hexdigest() for name, data in files.items()} == sums
    assert len(sums) == 16
    for name, data in files.items():
        assert data == (EN16931 / "ubl-examples" / name).read_bytes()


def test_the_notice_names_source_commit_and_licence() -> None:
    notice = (EXAMPLES / "NOTICE.md").read_text(encoding="utf-8")
    for said in ("ConnectingEurope/eInvoicing-EN16931", "b6c9e06a59812fb1", "EUPL-1.2"):
        assert said in notice
    assert "EUROPEAN UNION PUBLIC LICENCE v. 1.2" in (EXAMPLES / "LICENCE-EUPL-1.2.txt").read_text(
        encoding="utf-8"
    )
