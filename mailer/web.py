"""The web server: granian, serving `wsgi:app` (FIGURES, “Web”)."""

from __future__ import annotations

from granian import Granian
from granian.constants import Interfaces
from granian.log import LogLevels

from mailer import settings

THREADS = 4


def serve() -> None:
    """Serve the pages until this process is asked to end; a server process that dies is replaced."""
    config = settings.current()
    Granian(
        "wsgi:app",
        address=config.web_host,
        port=config.web_port,
        interface=Interfaces.WSGI,
        workers=config.web_workers,
        blocking_threads=THREADS,
        respawn_failed_workers=True,
        workers_kill_timeout=5,
        websockets=False,
        log_level=LogLevels.warning,
        log_access=False,
    ).serve()
