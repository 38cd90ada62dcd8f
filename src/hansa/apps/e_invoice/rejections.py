"""What e_invoice refuses, by rule: I1 … I10 of the application and the ids of EN 16931. Pure."""

from typing import ClassVar

from hansa.ledger.rejections import Param, Rejection
from hansa.primitives.limits import INTEGER_MAX


class Refusal(Rejection):
    """Any refusal of this application."""

    CODESPACE: ClassVar[str] = "e_invoice"

    def __init__(self, **params: Param) -> None:
        """Sums of many lines may exceed a ledger integer: they are shown up to that limit."""
        super().__init__(
            **{
                name: max(-INTEGER_MAX, min(INTEGER_MAX, value))
                if isinstance(value, int)
                else value
                for name, value in params.items()
            }
        )


class NotRegistered(Refusal):
    """A tax identifier that no tax bureau has registered."""

    CODE, RULE = "not_registered", "I10"
    TEXT = "{taxpayer} is not a registered taxpayer of this ledger."
    REMEDY = "Have the tax bureau of its jurisdiction register it (RegisterTaxpayer)."


class AlreadyRegistered(Refusal):
    """A tax identifier is registered once."""

    CODE, RULE = "already_registered", "I10"
    TEXT = "{taxpayer} is already registered, for {member}."
    REMEDY = "Use that registration; if it is the wrong member's, correct it (CorrectTaxpayer)."


class OwnedByOther(Refusal):
    """The members' register knows whose this identifier is, and it is another member's."""

    CODE, RULE = "owned_by_other", "I10"
    TEXT = "{taxpayer} is the identifier of {owner} in the members' register, not of {member}."
    REMEDY = "Register it for {owner}. If the members' register is wrong, governance amends it."


class CurrencyUnknown(Refusal):
    """A quota in a currency that is none."""

    CODE, RULE = "currency_unknown", "BR-CL-03"
    TEXT = "{currency} is not a currency code of ISO 4217."
    REMEDY = "Use a code of ISO 4217, such as CNY, HKD or EUR."


class IdentifierInvalid(Refusal):
    """Wrong form or check digit, or a scheme that the ledger does not know."""

    CODE, RULE = "identifier_invalid", "I10"
    TEXT = "{identifier} is not a valid identifier: its scheme, form or check digit is wrong."
    REMEDY = "Copy the identifier again from the registration document, as scheme:value."


class PseudonymUsed(Refusal):
    """A person's pseudonym is for one invoice, else purchases could be linked."""

    CODE, RULE = "pseudonym_used", "D8"
    TEXT = "The buyer's pseudonym already stands on another invoice."
    REMEDY = "Make a new one-time key for each invoice."


class NotTheParty(Refusal):
    """The sender's organisation is not the party that may do this."""

    CODE, RULE = "not_the_party", "I10"
    TEXT = "Only the {party} may do this, and the sender does not act for it."
    REMEDY = "Sign with an account of the {party}."


class SellerStopped(Refusal):
    """The tax bureau stopped this seller."""

    CODE, RULE = "seller_suspended", "I6"
    TEXT = "{seller} is suspended ({reason})."
    REMEDY = "Ask the tax bureau of {jurisdiction} to resume the seller."


class StandingUnchanged(Refusal):
    """A suspension or freeze that is already there, or the end of one that is not."""

    CODE, RULE = "standing_unchanged", "I6"
    TEXT = "{target} is already {standing}."
    REMEDY = "Nothing is to be done."


class NoQuota(Refusal):
    """The seller was granted no quota in this currency."""

    CODE, RULE = "no_quota", "I6"
    TEXT = "{seller} has no quota in {currency}."
    REMEDY = "Ask the tax bureau for a quota (GrantQuota)."


class QuotaSpent(Refusal):
    """Issuing would exceed the quota."""

    CODE, RULE = "quota_spent", "I6"
    TEXT = "The invoice of {amount} exceeds what is left: hundredths {left}, numbers {numbers}."
    REMEDY = "Ask the tax bureau for a larger quota, or credit what was issued in error."


class QuotaBelowUse(Refusal):
    """A new quota may not be below what is already used."""

    CODE, RULE = "quota_below_use", "I6"
    TEXT = "The quota would be below what is already used: hundredths {used}, numbers {numbers}."
    REMEDY = "Grant at least what is used; to stop the seller, suspend it."


class NumberUsed(Refusal):
    """A number is never used twice."""

    CODE, RULE = "number_used", "I1"
    TEXT = "The number {number} is already used."
    REMEDY = "Give the next free number; a wrong invoice is credited, not replaced."


class FieldInvalid(Refusal):
    """A field has a form that no invoice can have."""

    CODE, RULE = "field_invalid", "I2"
    TEXT = "The field {field} is missing, too long or not well formed."
    REMEDY = "Correct {field} and send it again."


class CommitmentInvalid(Refusal):
    """Not a base64url SHA-256 digest."""

    CODE, RULE = "commitment_invalid", "I7"
    TEXT = "The commitment is not the base64url of 32 bytes."
    REMEDY = "Let the client compute it over salt and document."


class SumWrong(Refusal):
    """A sum of EN 16931 does not hold; the subclasses name which."""

    TEXT = "{rule}: it states {stated} and its parts come to {computed} (hundredths)."
    REMEDY = "Correct the amounts in the document and issue it again."


class LinesSumWrong(SumWrong):
    """BT-106 = Σ BT-131."""

    CODE, RULE = "br_co_10", "BR-CO-10"


class AllowancesSumWrong(SumWrong):
    """BT-107 = Σ BT-92."""

    CODE, RULE = "br_co_11", "BR-CO-11"


class ChargesSumWrong(SumWrong):
    """BT-108 = Σ BT-99."""

    CODE, RULE = "br_co_12", "BR-CO-12"


class NetTotalWrong(SumWrong):
    """BT-109 = BT-106 - BT-107 + BT-108."""

    CODE, RULE = "br_co_13", "BR-CO-13"


class VatTotalWrong(SumWrong):
    """BT-110 = Σ BT-117."""

    CODE, RULE = "br_co_14", "BR-CO-14"


class GrossTotalWrong(SumWrong):
    """BT-112 = BT-109 + BT-110."""

    CODE, RULE = "br_co_15", "BR-CO-15"


class AmountDueWrong(SumWrong):
    """BT-115 = BT-112 - BT-113 + BT-114."""

    CODE, RULE = "br_co_16", "BR-CO-16"


class CategoryTaxWrong(SumWrong):
    """BT-117 = BT-116 x BT-119, within one unit."""

    CODE, RULE = "br_co_17", "BR-CO-17"


class TaxableAmountWrong(SumWrong):
    """BT-116 is the lines plus charges less allowances of its category and rate."""

    CODE, RULE = "br_s_08", "BR-S-08"


class BreakdownMissing(Refusal):
    """A category that is used has a breakdown, and one that is not used has none."""

    CODE, RULE = "br_s_01", "BR-S-01"
    TEXT = "Category {category} at {rate_ppm} ppm is used without a breakdown, or has one unused."
    REMEDY = "Give exactly one VAT breakdown for each category and rate in use."


class BreakdownTwice(Refusal):
    """Tax would count twice."""

    CODE, RULE = "br_co_18", "BR-CO-18"
    TEXT = "There is no VAT breakdown, or category {category} has two at {rate_ppm} ppm."
    REMEDY = "Give exactly one VAT breakdown for each category and rate in use."


class RateWrong(Refusal):
    """S has a rate above zero; Z, E, AE, K, G, O have none."""

    CODE, RULE = "br_s_05", "BR-S-05"
    TEXT = "Category {category} cannot have the rate {rate_ppm} ppm."
    REMEDY = "Choose the category that the rate belongs to."


class CategoryUnknown(Refusal):
    """Not a VAT category of EN 16931."""

    CODE, RULE = "br_cl_17", "BR-CL-17"
    TEXT = "{category} is not a VAT category code."
    REMEDY = "Use one of S Z E AE K G O L M B."


class CapitalsWrong(Refusal):
    """The amount in Chinese characters says another number."""

    CODE, RULE = "capitals_wrong", "I9"
    TEXT = "The amount in Chinese characters is not {amount} hundredths."
    REMEDY = "Write it as {capitals}."


class PrecedingUnknown(Refusal):
    """A preceding invoice that the ledger does not have."""

    CODE, RULE = "preceding_unknown", "I4"
    TEXT = "The preceding invoice {number} of this seller is not on the ledger."
    REMEDY = (
        "Check its number and date. Before {since} it need not be here, but gets no credit here."
    )


class PrecedingForeign(Refusal):
    """A preceding invoice between other parties or in another currency."""

    CODE, RULE = "preceding_foreign", "I4"
    TEXT = "The preceding invoice {number} has another seller, buyer or currency."
    REMEDY = "Name the invoice of the same seller and buyer."


class NotOneOriginal(Refusal):
    """A credit takes back exactly one invoice."""

    CODE, RULE = "not_one_original", "I4"
    TEXT = "A credit names exactly one preceding invoice; this one names {count}."
    REMEDY = "Write one credit for each invoice that it takes back."


class NotCreditable(Refusal):
    """Only an invoice can be credited, not a credit."""

    CODE, RULE = "not_creditable", "I4"
    TEXT = "{invoice} is itself a credit."
    REMEDY = "Issue a new invoice."


class CreditAboveOriginal(Refusal):
    """Σ credits would exceed the original in a line, a rate or the total."""

    CODE, RULE = "credit_above_original", "I4"
    TEXT = "In {place} the credits would come to {credited} of {original} hundredths."
    REMEDY = "Credit at most what is left of the original."


class CreditNotPayable(Refusal):
    """A credit is not handed in, reimbursed or used for input VAT."""

    CODE, RULE = "credit_not_payable", "I4"
    TEXT = "{invoice} is a credit."
    REMEDY = "Use the invoice that it credits."


class FullyCredited(Refusal):
    """Nothing is left of the invoice."""

    CODE, RULE = "fully_credited", "I4"
    TEXT = "{invoice} is fully credited."
    REMEDY = "Ask the seller for a new invoice."


class ConfirmationNeeded(Refusal):
    """Used for input VAT or posted: the buyer must confirm first."""

    CODE, RULE = "confirmation_needed", "I5"
    TEXT = "{invoice} was used for input VAT or posted; its buyer has not confirmed a red letter."
    REMEDY = "Request a red letter (RequestRedLetter) and let the buyer confirm it."


class RedLetterOpen(Refusal):
    """Nothing else moves while a red letter is open."""

    CODE, RULE = "red_letter_open", "I5"
    TEXT = "A red letter for {invoice} is open ({red})."
    REMEDY = "Wait until it is credited, rejected or lapses."


class NoRedLetter(Refusal):
    """There is no request to answer."""

    CODE, RULE = "no_red_letter", "I5"
    TEXT = "No red letter for {invoice} waits for an answer."
    REMEDY = "Request one first (RequestRedLetter)."


class RedLetterAmount(Refusal):
    """The credit is not what was confirmed, or a request is not within what is left."""

    CODE, RULE = "red_letter_amount", "I5"
    TEXT = "The amount is {amount} hundredths, it must be {allowed}."
    REMEDY = "Use that amount, or request another red letter."


class WrongStatus(Refusal):
    """The invoice is not where this step begins."""

    CODE, RULE = "wrong_status", "I3"
    TEXT = "{invoice} is {status}; this step needs {needed}."
    REMEDY = "Do the steps in between first."


class AlreadyPast(Refusal):
    """The invoice is past where this step begins."""

    CODE, RULE = "already_past", "I3"
    TEXT = "{invoice} is {status}; this step is from {needed} only, which is behind it."
    REMEDY = (
        "Nothing is to be done, or take it back: what is submitted by RejectSubmission, reimbursed "
        "by ReverseReimbursement, posted by a red letter (RequestRedLetter) and its credit."
    )


class AlreadySubmitted(Refusal):
    """One live reimbursement across all organisations."""

    CODE, RULE = "already_submitted", "I3"
    TEXT = "{invoice} is already {status}, here or at another organisation."
    REMEDY = "Return it to the person who handed it in."


class ClaimInvalid(Refusal):
    """The person's one-time key did not sign this claim."""

    CODE, RULE = "claim_invalid", "I3"
    TEXT = "The claim is not signed by the buyer's one-time key for this invoice and employer."
    REMEDY = "Let the buyer sign the claim for this employer again."


class TooManyClaims(Refusal):
    """A person handed one invoice to many employers."""

    CODE, RULE = "too_many_claims", "I3"
    TEXT = "{invoice} was already handed to as many employers as may have it ({count})."
    REMEDY = "Let one of them submit or return it."


class AlreadyUsed(Refusal):
    """Input VAT is deducted once."""

    CODE, RULE = "already_used", "I5"
    TEXT = "{invoice} was already used for input VAT."
    REMEDY = "Nothing is to be done."


class StandsFrozen(Refusal):
    """The tax bureau froze the invoice, or a court froze or seized it."""

    CODE, RULE = "frozen", "D16"
    TEXT = "{invoice} is frozen by {by}."
    REMEDY = "Ask {by} to release it."
