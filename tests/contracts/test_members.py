"""Members, rule by rule (M1 to M5)."""

import pytest
from msgspec.structs import replace

from hansa.contracts.members.model import (
    AmendMember,
    Contact,
    ExpelMember,
    IdentifierOwner,
    ReinstateMember,
    SetContact,
    SuspendMember,
)
from hansa.contracts.standing import judge_signer
from hansa.ledger.genesis import InvalidGenesis, compute_genesis_changes
from hansa.ledger.receipts import OK
from hansa.ledger.system import Account, Identifier, Member, compute_standing
from hansa.testing.chain import Actor, Chain
from tests.contracts.league import (
    LEI,
    USCC,
    build_admit,
    build_chain,
    build_genesis,
    build_open_account,
    build_propose,
    find_violations,
    get_account,
    govern,
)

ALMA, BRUNO, CHEN = Actor("alma"), Actor("bruno"), Actor("chen")
DORA, EMIL, STAFF = Actor("dora", alg="ES256"), Actor("emil"), Actor("staff")
COUNCIL = (ALMA, BRUNO, CHEN)


@pytest.fixture
def chain() -> Chain:
    return build_chain(*COUNCIL)


def get_member(chain: Chain, did: str) -> Member:
    found = chain.get("", Member, did)
    assert found is not None
    return found


def suspend(actor: Actor) -> tuple[str, SuspendMember]:
    return ("members", SuspendMember(member=actor.did, reason="audit"))


def reinstate(actor: Actor) -> tuple[str, ReinstateMember]:
    return ("members", ReinstateMember(member=actor.did, reason="audit.done"))


def expel(actor: Actor) -> tuple[str, ExpelMember]:
    return ("members", ExpelMember(member=actor.did, reason="fraud"))


def test_admission_is_one_act_and_the_member_can_sign_at_the_next_height(chain: Chain) -> None:
    proposal = govern(chain, COUNCIL, ("members", build_admit(DORA, (USCC, LEI))))
    assert proposal.state == "EXECUTED"
    member = get_member(chain, DORA.did)
    assert compute_standing(member.standing, chain.height) is None
    assert compute_standing(member.standing, chain.height + 1) == "good"
    assert get_account(chain, DORA.did).admin
    assert chain.send(DORA, "members", SetContact(address="https://dora.example/")).code == OK
    assert find_violations(chain.state) == []


@pytest.mark.parametrize("kind", ["admit", "suspend"])
def test_invalid_membership_change_without_governance(chain: Chain, kind: str) -> None:
    message = build_admit(DORA) if kind == "admit" else suspend(BRUNO)[1]
    assert chain.send(ALMA, "members", message).code == "ledger.internal_message"


def test_invalid_admission_with_a_signature_for_another_chain(chain: Chain) -> None:
    proposal = govern(chain, COUNCIL, ("members", build_admit(DORA, chain="other-1")))
    assert (proposal.state, proposal.code) == ("FAILED", "accounts.wrong_possession")
    assert chain.get("", Member, DORA.did) is None
    assert chain.get("", Account, DORA.did) is None


def test_invalid_admission_of_a_member(chain: Chain) -> None:
    assert govern(chain, COUNCIL, ("members", build_admit(BRUNO))).code == "members.already_member"


@pytest.mark.parametrize(
    ("identifier", "problem"),
    [
        (("CN-USCC", "91440101231245152X"), "check_digit"),
        (("0199", "5493000IBP32UQZ0KL25"), "check_digit"),
        (("0088", "123"), "format"),
        (("no-such-scheme", "1"), "scheme"),
        (("GTIN", "4006381333931"), "scheme"),
    ],
)
def test_invalid_identifier(chain: Chain, identifier: tuple[str, str], problem: str) -> None:
    proposal = govern(chain, COUNCIL, ("members", build_admit(DORA, (identifier,))))
    assert proposal.code == "members.wrong_identifier"
    assert proposal.params["problem"] == problem


def test_invalid_identifier_twice_in_one_admission(chain: Chain) -> None:
    proposal = govern(chain, COUNCIL, ("members", build_admit(DORA, (LEI, LEI))))
    assert proposal.code == "members.wrong_identifier"


def test_invalid_identifier_of_another_member(chain: Chain) -> None:
    govern(chain, COUNCIL, ("members", build_admit(DORA, (USCC,))))
    spaced = (USCC[0], USCC[1][:9] + " " + USCC[1][9:])
    proposal = govern(chain, COUNCIL, ("members", build_admit(EMIL, (spaced,))))
    assert proposal.code == "members.identifier_taken"
    assert proposal.params["member"] == DORA.did


def test_identifiers_of_an_expelled_member_are_free_again(chain: Chain) -> None:
    govern(chain, COUNCIL, ("members", build_admit(DORA, (USCC,))))
    govern(chain, COUNCIL, expel(DORA))
    assert govern(chain, COUNCIL, ("members", build_admit(EMIL, (USCC,)))).state == "EXECUTED"
    assert get_member(chain, DORA.did).identifiers == (Identifier(*USCC),)
    owner = chain.get("members", IdentifierOwner, *USCC)
    assert owner is not None
    assert owner.member == EMIL.did


def test_amendment_sets_all_three_anew(chain: Chain) -> None:
    govern(chain, COUNCIL, ("members", build_admit(DORA, (USCC,))))
    amend = AmendMember(
        member=DORA.did, name="朵拉", jurisdiction="MO", identifiers=(Identifier(*LEI),)
    )
    assert govern(chain, COUNCIL, ("members", amend)).state == "EXECUTED"
    member = get_member(chain, DORA.did)
    assert (member.name, member.jurisdiction) == ("朵拉", "MO")
    assert chain.get("members", IdentifierOwner, *USCC) is None
    assert find_violations(chain.state) == []


def test_invalid_amendment_of_an_expelled_member_and_of_nobody(chain: Chain) -> None:
    govern(chain, COUNCIL, expel(CHEN))
    for did, code in ((CHEN.did, "members.wrong_standing"), (DORA.did, "members.no_such_member")):
        amend = AmendMember(member=did, name="x", jurisdiction="CN")
        assert govern(chain, (ALMA, BRUNO), ("members", amend)).code == code


def test_standing_follows_its_steps_and_each_takes_effect_at_the_next_height(chain: Chain) -> None:
    govern(chain, COUNCIL, suspend(CHEN))
    since = chain.height + 1
    assert chain.send(CHEN, "members", SetContact(address="https://c.example/")).code == (
        "ledger.not_in_good_standing"
    )
    assert govern(chain, (ALMA, BRUNO), suspend(CHEN)).code == "members.wrong_standing"
    govern(chain, (ALMA, BRUNO), reinstate(CHEN))
    assert chain.send(CHEN, "members", SetContact(address="https://c.example/")).code == OK
    govern(chain, (ALMA, BRUNO), expel(CHEN))
    member = get_member(chain, CHEN.did)
    heights = (since - 1, since, chain.height, chain.height + 1)
    assert [compute_standing(member.standing, height) for height in heights] == [
        "good",
        "suspended",
        "good",
        "expelled",
    ]
    assert find_violations(chain.state) == []


@pytest.mark.parametrize("step", [suspend, reinstate, expel])
def test_expelled_is_final(chain: Chain, step: object) -> None:
    govern(chain, COUNCIL, expel(CHEN))
    assert callable(step)
    assert govern(chain, (ALMA, BRUNO), step(CHEN)).code == "members.wrong_standing"


def test_invalid_standing_of_nobody(chain: Chain) -> None:
    assert govern(chain, COUNCIL, suspend(DORA)).code == "members.no_such_member"


def test_admitted_and_suspended_by_one_proposal(chain: Chain) -> None:
    govern(chain, COUNCIL, ("members", build_admit(DORA)), suspend(DORA))
    standing = get_member(chain, DORA.did).standing
    assert [entry.standing for entry in standing] == ["suspended"]
    assert find_violations(chain.state) == []


def test_two_changes_in_one_block_leave_the_last(chain: Chain) -> None:
    govern(chain, COUNCIL, suspend(CHEN), reinstate(CHEN))
    standing = get_member(chain, CHEN.did).standing
    assert [entry.standing for entry in standing] == ["good", "good"]
    assert find_violations(chain.state) == []


def test_what_a_suspended_member_signed_before_is_still_good_as_at_then(chain: Chain) -> None:
    assert chain.send(CHEN, "members", SetContact(address="https://c.example/")).code == OK
    signed = chain.height
    govern(chain, (ALMA, BRUNO), suspend(CHEN))
    member, account = get_member(chain, CHEN.did), get_account(chain, CHEN.did)
    assert judge_signer(account, member, "k1", signed) == ""
    assert judge_signer(account, member, "k1", chain.height) == ""
    assert judge_signer(account, member, "k1", chain.height + 1) == "member_not_in_good_standing"
    assert judge_signer(account, get_member(chain, ALMA.did), "k1", signed) == "other_member"


def test_contact_is_set_by_an_administrator_only(chain: Chain) -> None:
    chain.send(ALMA, "accounts", build_open_account(STAFF, ALMA))
    contact = SetContact(address="https://alma.example/")
    refused = chain.send(STAFF, "members", contact)
    assert refused.code == "accounts.not_administrator"
    assert refused.params == {"member": ALMA.did}
    assert chain.send(ALMA, "members", contact).code == OK
    assert chain.get("members", Contact, ALMA.did) == Contact(
        member=ALMA.did, address="https://alma.example/"
    )


@pytest.mark.parametrize(
    "address",
    ["http://plain.example/", "javascript:alert(1)", "https://a b/", "https://x/\n", "https://é/"],
)
def test_invalid_contact_address(chain: Chain, address: str) -> None:
    assert chain.send(ALMA, "members", SetContact(address=address)).code == "ledger.malformed"


@pytest.mark.parametrize("name", ["", " x", "a\u202eb", "a\nb", "x" * 501, "a\x00"])
def test_invalid_name(chain: Chain, name: str) -> None:
    amend = AmendMember(member=ALMA.did, name=name, jurisdiction="CN")
    result = chain.send(ALMA, "governance", build_propose(("members", amend)))
    assert result.code == "ledger.malformed"


def test_invalid_genesis_with_one_identifier_for_two_members() -> None:
    chain = build_chain(ALMA)
    document = build_genesis(COUNCIL)
    for each in document["members"]["members"][:2]:
        each["identifiers"] = [{"scheme": LEI[0], "value": LEI[1]}]
    genesis = replace(chain.genesis, contracts=document)
    with pytest.raises(InvalidGenesis, match="identifier_taken"):
        compute_genesis_changes(genesis, chain.registry)
