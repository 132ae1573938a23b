"""Bounces: whom they name and whether the mailbox is dead; ours beside `flufl.bounce` alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from email import message_from_bytes

from flufl.bounce import all_failures

from mailer.inbound.bounces import Bounce
from mailer.inbound.child import read_here
from tests.benchmarks.mail.samples import Sample


@dataclass
class Score:
    """Recipients are counted one by one, the verdict on the mailbox once a mail."""

    stated: int = 0
    found: int = 0
    hard: int = 0
    wrong_hard: int = 0
    soft: int = 0
    unsure: int = 0


def measure(samples: Sequence[Sample]) -> dict[str, Score]:
    """Ours and `flufl.bounce` over the bounces whose recipients are stated."""
    scores = {"ours": Score(), "flufl.bounce alone": Score()}
    for sample in samples:
        permanent, temporary = (set(sample.expected.get(f"union_{kind}", ())) for kind in ("permanent", "temporary"))
        if not permanent | temporary:
            continue
        _ours(scores["ours"], sample, permanent, temporary)
        _flufl(scores["flufl.bounce alone"], sample, permanent, temporary)
    return scores


def _ours(score: Score, sample: Sample, permanent: set[str], temporary: set[str]) -> None:
    bounce = read_here(sample.raw()).bounce or Bounce((), "", None, "")
    score.stated += len(permanent | temporary)
    score.found += len((permanent | temporary) & set(bounce.recipients))
    score.hard += bounce.hard is True
    score.wrong_hard += bounce.hard is True and not permanent
    score.soft += bounce.hard is False
    score.unsure += bounce.hard is None


def _flufl(score: Score, sample: Sample, permanent: set[str], temporary: set[str]) -> None:
    soft, hard = ({address.decode() for address in found} for found in all_failures(message_from_bytes(sample.raw())))
    score.stated += len(permanent | temporary)
    score.found += len((permanent | temporary) & (soft | hard))
    score.hard += bool(hard)
    score.wrong_hard += bool(hard) and not permanent
    score.soft += bool(soft and not hard)
