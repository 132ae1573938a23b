"""For those who watch the service: does the process live, and can it work."""

from __future__ import annotations

from flask import Blueprint, jsonify
from flask.typing import ResponseReturnValue
from redis.exceptions import RedisError
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from mailer import clock, doorbell, settings
from mailer.db import reading
from mailer.inbound import doors

bp = Blueprint("health", __name__)


@bp.get("/healthz")
def healthz() -> ResponseReturnValue:
    """The process answers."""
    return jsonify(status="ok")


@bp.get("/readyz")
def readyz() -> ResponseReturnValue:
    """The database answers and is migrated. Redis is told, not demanded: without it all goes on, a sweep later.

    So are the doors that mail comes in by: pages can be served while one of them is shut.
    """
    database, redis = _database(), _redis()
    ready = database == "ok"
    told = {"database": database, "redis": redis, "inbound": _doors() if ready else {}}
    return jsonify(status="ready" if ready else "not ready", **told), 200 if ready else 503


def _doors() -> dict[str, str]:
    """Each door by its kind alone, for this page is open to all: a mailbox's name stays out."""
    with reading() as session:
        found = doors.health(session, settings.current(), clock.now())
    return {door.name.partition(" ")[0]: door.fault or "ok" for door in found} | {"pipe": "ok", "upload": "ok"}


def _database() -> str:
    try:
        with reading() as session:
            version = session.scalar(text("SELECT version_num FROM alembic_version"))
    except SQLAlchemyError:
        return "not reachable, or not migrated: run `mailer migrate`"
    return "ok" if version else "not migrated: run `mailer migrate`"


def _redis() -> str:
    try:
        doorbell.redis().ping()
    except RedisError:
        return "not reachable; mail goes out with the next sweep"
    return "ok"
