"""Each process of `mailer up` is killed in turn while the campaign goes out; the story still ends right."""

from __future__ import annotations

import time

import psutil

from mailer.demo import story
from mailer.demo.stage import Stage
from mailer.demo.world import eventually
from tests.journeys.conftest import fresh_telling

PARTS = ("redis", "post-office", "worker --lane essential", "worker --lane marketing", "worker --lane chores")
PARTS += ("scheduler", "inbound", "web")


def test_killing_each_process_while_mail_goes_out_changes_nothing_in_the_end() -> None:
    killed: list[str] = []

    def kill_each(stage: Stage) -> None:
        for part in PARTS:
            child = eventually(lambda part=part: _child(stage, part), f"{part} runs", 30)
            child.kill()
            killed.append(part)
            time.sleep(0.5)
            eventually(lambda part=part, old=child.pid: _restarted(stage, part, old), f"{part} runs again", 30)
        eventually(stage.world.answers, "the pages answer again", 30)

    with fresh_telling() as telling:
        telling.stage.during_send = kill_each
        telling.to(len(story.STEPS))
        log = (telling.stage.world.data_dir / "up.log").read_text()
    assert killed == list(PARTS)
    assert log.count("again") >= len(PARTS), "each restart is said"


def _child(stage: Stage, part: str) -> psutil.Process | None:
    return next((child for child in stage.world.children() if part in _command(child)), None)


def _restarted(stage: Stage, part: str, old: int) -> bool:
    child = _child(stage, part)
    return child is not None and child.pid != old


def _command(process: psutil.Process) -> str:
    try:
        return " ".join(process.cmdline())
    except psutil.Error:
        return ""
