"""5. Schedulers, sweeps and fan-outs beside each other, twenty who press Send at once: one mail each (invariant 2)."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial

import httpx
from sqlalchemy import func, select

from mailer.campaigns.models import Campaign
from mailer.consent.rules import Channel
from mailer.db import reading
from mailer.outbox.models import Mailing, Message
from mailer.outbox.rules import MailKind
from mailer.staff.models import Staff
from rq_jobs.fan_out import fan_out
from rq_jobs.sweep import sweep
from tests import factories
from tests.chaos import proof, writing
from tests.chaos.house import House, Scene, house, wait_until
from tests.chaos.proof import Told
from tests.chaos.sink import Record

HANDS = 20
PATIENCE = 90.0
_TOKEN = re.compile(r'name="csrf_token"[^>]*value="([^"]+)"')


@dataclass(frozen=True)
class Plan:
    """So many people, each with an announcement and a marketing mail."""

    people: int


SHORT = Plan(people=300)
FULL = Plan(people=5_000)


def run(plan: Plan) -> Told:
    """Press Send from twenty browsers, while all that sweeps and fans out runs more than once."""
    with house(delay=0.02, sweep_seconds=1) as here:
        author = writing.add_people(plan.people)
        with here.up():
            return crowd(Scene(here, author, plan.people))


def crowd(scene: Scene) -> Told:
    """The same in a house that stands."""
    told = Told(f"two schedulers, two sweepers, {HANDS} hands on Send")
    here, before, since = scene.house, set(_mailings()), proof.newest()
    drafts = [writing.draft(scene.author, kind) for kind in (MailKind.CAMPAIGN, MailKind.ANNOUNCEMENT)]
    with here.started("scheduler"), _beside(sweep), _beside(sweep):
        codes = [code for one in drafts for code in _press(here, scene.author, one)]
        mailings = [one for one in _mailings() if one not in before]
        with ExitStack() as stack:
            for one in mailings * 4:
                stack.enter_context(_beside(partial(fan_out, one)))
            out = wait_until(lambda: proof.rest().open == 0, PATIENCE)
    told.claim("answers to a press that were no redirect", sum(code != 303 for code in codes))
    told.claim("presses", len(codes), most=2 * HANDS, least=2 * HANDS)
    told.claim("mailings made of two drafts", len(mailings), most=2, least=2)
    with reading() as session:
        pairs = select(Message.contact_id).where(Message.mailing_id.in_(mailings))
        twins = pairs.group_by(Message.mailing_id, Message.contact_id).having(func.count() > 1)
        told.claim("people with two messages of a mailing", len(session.scalars(twins).all()))
        sent = session.scalar(select(func.count()).where(Campaign.mailing_id.in_(mailings)))
    told.claim("drafts that are sent", sent or 0, most=2, least=2)
    told.claim("mails that never went out", int(out is None))
    found = proof.gather(Record.load(here.sink.record), since)
    proof.nothing_lost(told, found, dict.fromkeys(Channel, 0))
    proof.books_agree(told)
    return told


def _press(here: House, author: Staff, campaign_id: str) -> Sequence[int]:
    """Twenty browsers of one colleague, all on the page that asks once more, press at the same moment."""
    page = f"/admin/campaigns/{campaign_id}/send"
    with ExitStack() as stack:
        browsers = [stack.enter_context(httpx.Client(base_url=here.url, timeout=60)) for _ in range(HANDS)]
        _sign_in(browsers, author)
        tokens = [_token(browser.get(page)) for browser in browsers]
        together = threading.Barrier(HANDS)
        codes: list[int] = []

        def press(browser: httpx.Client, token: str) -> None:
            together.wait(30)
            codes.append(browser.post(page, data={"csrf_token": token}).status_code)

        hands = [threading.Thread(target=press, args=pair) for pair in zip(browsers, tokens, strict=True)]
        for hand in hands:
            hand.start()
        for hand in hands:
            hand.join()
    return codes


def _sign_in(browsers: Sequence[httpx.Client], author: Staff) -> None:
    """One sign-in whose cookie all of them have."""
    form = {"email": author.email, "password": factories.PASSWORD}
    first = browsers[0]
    answer = first.post("/admin/sign-in", data=form | {"csrf_token": _token(first.get("/admin/sign-in"))})
    assert answer.status_code == 303, answer.text
    for browser in browsers[1:]:
        browser.cookies.update(first.cookies)


def _token(page: httpx.Response) -> str:
    found = _TOKEN.search(page.text)
    assert found, page.text[:2000]
    return found[1]


def _mailings() -> list[str]:
    with reading() as session:
        return list(session.scalars(select(Mailing.id).order_by(Mailing.id)))


@contextmanager
def _beside(work: Callable[[], object]) -> Iterator[None]:
    """Do it again and again in a thread, for the length of the block; what it raises is raised at the end."""
    ended = threading.Event()
    raised: list[BaseException] = []

    def go_on() -> None:
        while not ended.is_set():
            try:
                work()
            except BaseException as error:
                raised.append(error)
                return
            ended.wait(0.2)

    thread = threading.Thread(target=go_on, name="beside")
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()
    if raised:
        raise raised[0]
