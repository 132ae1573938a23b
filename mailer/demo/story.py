"""The whole story, step by step, on real mail: what `mailer demo` tells and the journey tests run."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from mailer.demo import answers_chapter, change_chapter, marketing_chapter, people_chapter, time_chapter
from mailer.demo.stage import Stage
from mailer.demo.world import World


@dataclass(frozen=True)
class Step:
    """One step: its title, and what happens in it. It raises `NotAsSaid` if anything is not as said."""

    title: str
    happen: Callable[[Stage], None]


STEPS = (
    Step("The company has a privacy statement", people_chapter.policy),
    Step("Two hundred people are imported", people_chapter.people),
    Step("Another service calls", people_chapter.service),
    Step("Marketing sends a campaign", marketing_chapter.campaign),
    Step("A reader leaves by one click", marketing_chapter.leaving),
    Step("A material change is released", change_chapter.material),
    Step("Everyone concerned is told", change_chapter.noticed),
    Step("One notice bounces", answers_chapter.bounced),
    Step("People answer", answers_chapter.answered),
    Step("A typo is corrected", change_chapter.minor),
    Step("Time passes", time_chapter.effective),
    Step("The proof holds", time_chapter.proof),
)


@contextmanager
def staged(world: World, say: Callable[[str], None]) -> Iterator[Stage]:
    """A fresh service with topics and staff, running, and the stage on it."""
    world.prepare()
    accounts = (line.split("\t") for line in world.run("demo", "--set-up").splitlines())
    passwords = {email.partition("@")[0]: password for email, password in accounts}
    stage = Stage(world, lambda words: say(f"   {words}"), passwords)
    with world.running(), stage.exits:
        yield stage
