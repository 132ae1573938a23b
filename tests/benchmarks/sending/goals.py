"""What is measured, and how good it has to be."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Goal:
    """The limit of one figure; `is_floor` if the figure has to reach it, else it must stay within."""

    limit: float
    is_floor: bool
    says: str

    def is_met(self, value: float) -> bool:
        return value >= self.limit if self.is_floor else value <= self.limit

    def __str__(self) -> str:
        return f"{'≥' if self.is_floor else '≤'} {self.limit:g}"


GOALS = {
    "send_vs_smtp_source": Goal(1.0, True, "mails a second ÷ those of smtp-source; SQLite, the relay signs"),
    "send_vs_smtp_source_postgres": Goal(0.9, True, "the same on PostgreSQL"),
    "send_vs_pump": Goal(0.75, True, "mails a second ÷ those of a pipelined pump of prepared bytes; SQLite"),
    "send_dkim_vs_sign_and_push": Goal(0.8, True, "mails a second with RSA-2048 ÷ those of signing and pushing alone"),
    "latency_20ms": Goal(0.9, True, "mails a second ÷ (64 connections ÷ two round trips of 20 ms)"),
    "fanout_1m_vs_insert_select": Goal(3.0, False, "seconds of a fan-out ÷ those of a bare INSERT … SELECT"),
    "rss_1m_vs_10k": Goal(1.15, False, "peak memory of a worker after the large mailing ÷ after the small one"),
    "per_mail_cost_1m_vs_10k": Goal(1.15, False, "cost of a mail in large tables ÷ in small ones"),
    "essential_p95_busy_vs_idle": Goal(2.0, False, "95th percentile of an essential letter, lanes busy ÷ idle"),
    "idle_cpu": Goal(1.0, False, "per cent of a core that all of `mailer up` takes with nothing to do"),
}
