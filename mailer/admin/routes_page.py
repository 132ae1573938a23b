"""Routes: which servers take our mail, how each does, and trying one out."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from flask import Blueprint, render_template, request
from flask.typing import ResponseReturnValue

from mailer import clock, settings
from mailer.consent.rules import Channel
from mailer.delivery import dkim, routes, trial
from mailer.delivery.pacing import rules
from mailer.delivery.pacing.breaker import Breakers, Health
from mailer.delivery.routes import BadRoute, Route, Tls
from mailer.delivery.trial import Trial
from mailer.errors import MailerError, NotFound
from mailer.staff.access import needs
from mailer.staff.rules import May

bp = Blueprint("routes", __name__, url_prefix="/admin/settings/routes")
SECONDS = 20.0  # what a server gets to answer a trial, while somebody waits for the page
SECRECY = {
    Tls.NONE: "none: everything goes in the clear",
    Tls.STARTTLS: "STARTTLS, certificate verified",
    Tls.IMPLICIT: "TLS from the first byte, certificate verified",
}


@dataclass(frozen=True)
class Shown:
    """One route as the page shows it; nothing secret is among it. Its `key` is its own on the page."""

    key: str
    name: str
    server: str
    secrecy: str
    account: str
    sender: str
    envelope_domain: str
    signing: str
    is_signed_as_told: bool
    order: int
    share: str
    connections: int
    rate: float | None
    domains: tuple[tuple[str, float], ...]
    warm_up: str
    health: Health


@dataclass(frozen=True)
class Shelf:
    """The routes of one channel, first choice first; or why they cannot be read."""

    channel: Channel
    routes: tuple[Shown, ...] = ()
    fault: str = ""


@bp.get("/")
@needs(May.OPERATE)
def index() -> ResponseReturnValue:
    return _page()


@bp.post("/<channel>/<name>/test")
@needs(May.OPERATE)
def test(channel: str, name: str) -> ResponseReturnValue:
    """Talk to the server up to the mail itself. The recipient's address comes by POST: it stands in no URL."""
    listed = routes.routes_for(Channel(channel)) if channel in set(Channel) else ()
    route = next((route for route in listed if route.name == name), None)
    if route is None:
        raise NotFound(f"There is no route “{name}”; open the list of routes again.")
    to = request.form.get("to", "").strip()[:320]
    tried = trial.try_out(route, SECONDS, to)
    if "HX-Request" in request.headers:
        return render_template("admin/delivery/_trial.html", key=_key(route), tried_key=_key(route), tried=tried)
    return _page(_key(route), tried, to)


def _page(tried_key: str = "", tried: Trial | None = None, to: str = "") -> str:
    at = clock.now()
    shelves = [_shelf(channel, at) for channel in Channel]
    source = settings.current().routes
    told = {"tried_key": tried_key, "tried": tried, "to": to}
    return render_template("admin/delivery/routes.html", shelves=shelves, source=source, **told)


def _shelf(channel: Channel, at: datetime) -> Shelf:
    try:
        found = routes.routes_for(channel)
    except BadRoute as fault:
        return Shelf(channel, fault=str(fault))
    health = {one.route: one for one in Breakers(route.name for route in found).describe(at)}
    return Shelf(channel, tuple(_shown(route, found, health[route.name], at) for route in found))


def _shown(route: Route, found: tuple[Route, ...], health: Health, at: datetime) -> Shown:
    config = settings.current()
    signing, is_signed_as_told = _signing(route)
    today = clock.local_day(at, config.zone)
    return Shown(
        key=_key(route),
        name=route.name,
        server=f"{route.host}:{route.port}",
        secrecy=SECRECY[route.tls],
        account=route.user,
        sender=routes.sender(route),
        envelope_domain=route.envelope_domain or config.reply_domain,
        signing=signing,
        is_signed_as_told=is_signed_as_told,
        order=route.order,
        share=_share(route, found),
        connections=route.connections,
        rate=route.rate,
        domains=route.domains,
        warm_up=rules.warm_up_in_words(route.warm_up_from, today) if route.warm_up_from else "",
        health=health,
    )


def _key(route: Route) -> str:
    return f"{route.channel}-{route.name}"  # the local post office serves both channels under one name


def _signing(route: Route) -> tuple[str, bool]:
    """Who signs, and whether that works."""
    domain = routes.signing_domain(route)
    if domain is None:
        return "by the relay", True
    try:
        signer, why = dkim.signer_for(domain), routes.why_unsigned(route, settings.current())
    except MailerError as fault:
        return str(fault), False
    return f"here, for {domain}, with the key {signer.selector}" if signer else f"not signed: {why}", signer is not None


def _share(route: Route, found: tuple[Route, ...]) -> str:
    """What this route takes of the mail, beside those of the same order."""
    first = found[0].order
    total = sum(other.weight for other in found if other.order == route.order)
    part = "all" if route.weight == total else f"{route.weight} in {total}"
    return part if route.order == first else f"{part}, once no route before it can be reached"
