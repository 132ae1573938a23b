"""Who a mailing goes to: one SELECT, so that a million people cost one statement (DESIGN §8).

The SELECT gives each concerned person with the reason, if any, why mail to them is withheld. It must say the same as
`consent.rules.why_withheld`; a property test compares the two.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, Select, and_, case, exists, literal, null, or_, select
from sqlalchemy.orm import aliased

from mailer.consent.models import Subscription, Suppression
from mailer.consent.rules import Channel, SuppressionReason, Withheld
from mailer.contacts.models import Address, Contact
from mailer.contacts.rules import Origin
from mailer.errors import Invalid

EVERYONE = "everyone"
TOPIC = "topic"
ORIGINS = "origins"


class BadAudience(Invalid):
    """An audience nobody described rightly."""

    field = "audience"


def of_topic(topic: str) -> dict[str, Any]:
    """Everybody who ever spoke about a topic; those who may not get it are withheld with the reason."""
    return {"kind": TOPIC, "topic": topic}


def of_origins(origins: list[str]) -> dict[str, Any]:
    """Everybody of these origins who is still there."""
    return {"kind": ORIGINS, "origins": sorted(origins)}


def concerned(audience: dict[str, Any], channel: Channel) -> Select[Contact, Address, str | None]:
    """`contact, address, withheld` of everybody concerned, without order; withheld is null where mail may go."""
    query = (
        select(Contact, Address, why_withheld(channel, audience.get("topic")).label("withheld"))
        .join(Address, and_(Address.contact_id == Contact.id, Address.is_primary), isouter=True)
        .where(Contact.erased_at.is_(None), Contact.merged_into.is_(None))
    )
    match audience.get("kind"):
        case "everyone":
            return query
        case "topic":
            return query.join(
                Subscription, and_(Subscription.contact_id == Contact.id, Subscription.topic == audience["topic"])
            )
        case "origins":
            return query.where(
                Contact.origin.in_([Origin(o) for o in audience["origins"]]), Contact.closed_at.is_(None)
            )
        case other:
            raise BadAudience(f"audience: “{other}” is not a kind of audience.")


def why_withheld(channel: Channel, topic: str | None) -> ColumnElement[str | None]:
    """The rule `consent.rules.why_withheld` as SQL over `contacts` joined with the primary address."""
    stopped: list[tuple[ColumnElement[bool], Withheld]] = [
        (or_(Contact.erased_at.is_not(None), _suppressed(SuppressionReason.ERASED)), Withheld.ERASED),
        (Address.id.is_(None), Withheld.NO_ADDRESS),
        (_suppressed(SuppressionReason.HARD_BOUNCE), Withheld.DEAD_ADDRESS),
    ]
    if channel is Channel.MARKETING:
        left = or_(_suppressed(SuppressionReason.UNSUBSCRIBED), _subscription(topic, is_subscribed=False))
        stopped += [
            (Contact.origin == Origin.THIRD_PARTY, Withheld.THIRD_PARTY),
            (left, Withheld.UNSUBSCRIBED),
            (_suppressed(SuppressionReason.COMPLAINT), Withheld.COMPLAINED),
            (_suppressed(SuppressionReason.MANUAL), Withheld.SUPPRESSED),
            (Contact.closed_at.is_not(None), Withheld.CLOSED),
            (~_subscription(topic, is_subscribed=True), Withheld.NO_CONSENT),
        ]
    return case(*((condition, literal(reason.value)) for condition, reason in stopped), else_=null())


def may_go(channel: Channel, topic: str | None) -> ColumnElement[bool]:
    """Whether `why_withheld` is null, in fewer looks; the same property test holds it to the rule."""
    if channel is Channel.ESSENTIAL:
        return why_withheld(channel, topic).is_(None)
    standing = exists().where(Suppression.email_key == Address.email_key, Suppression.lifted_at.is_(None))
    return and_(
        Contact.erased_at.is_(None),
        Contact.closed_at.is_(None),
        Contact.origin != Origin.THIRD_PARTY,
        Address.id.is_not(None),
        ~standing,  # whatever its reason: each of them stops marketing
        _subscription(topic, is_subscribed=True),
    )


def after(
    query: Select[Contact, Address, str | None],
    audience: dict[str, Any],
    channel: Channel,
    contact_id: str,
    last: str | None = None,
) -> Select[Contact, Address, str | None]:
    """The people of `concerned` beyond this id, up to `last` if it is said, in order, by the index that knows them.

    Of a topic's, marketing asks only those subscribed: it makes no row for the others. Both tables are told both
    ends, for PostgreSQL infers none from the join.
    """
    beyond = query.where(Contact.id > contact_id)
    if last is not None:
        beyond = beyond.where(Contact.id <= last)
    if audience.get("kind") != TOPIC or channel is not Channel.MARKETING:
        return beyond.order_by(Contact.id)
    beyond = beyond.where(Subscription.is_subscribed, Subscription.contact_id > contact_id)
    if last is not None:
        beyond = beyond.where(Subscription.contact_id <= last)
    return beyond.order_by(Subscription.contact_id)


def _suppressed(reason: SuppressionReason) -> ColumnElement[bool]:
    standing = and_(Suppression.reason == reason, Suppression.lifted_at.is_(None))
    return exists().where(Suppression.email_key == Address.email_key, standing)


def _subscription(topic: str | None, *, is_subscribed: bool) -> ColumnElement[bool]:
    said = aliased(Subscription)  # the audience of a topic joins the table itself
    return exists().where(said.contact_id == Contact.id, said.topic == topic, said.is_subscribed.is_(is_subscribed))
