"""The front door: one Flask app of every room's pages, for any WSGI server."""

from __future__ import annotations

import hashlib
from datetime import timedelta

from flask import Flask, Response, redirect, request
from flask.sessions import SecureCookieSessionInterface, SessionMixin
from flask_wtf import CSRFProtect

from mailer import places, settings
from mailer.admin import (
    configuration,
    evidence_page,
    faults,
    find,
    frame,
    health,
    home,
    messages,
    people,
    routes_page,
    tasks,
    words,
)
from mailer.admin.notices import export as notices_export
from mailer.admin.notices import person as notices_person
from mailer.admin.notices import version as notices_version
from mailer.campaigns import admin as campaigns_admin
from mailer.campaigns.brakes import admin as brakes
from mailer.consent import views as consent_views
from mailer.demo import post_office_views
from mailer.inbound import admin as inbound_admin
from mailer.inbound import api as inbound_api
from mailer.inbound import views as inbound_views
from mailer.inbound.answers import admin as answer_templates_admin
from mailer.notices import admin as notices_admin
from mailer.notices import views as agreements_views
from mailer.notices.proof import views as ledger_views
from mailer.policies import admin as policies_admin
from mailer.policies.drafts import admin as drafts_admin
from mailer.policies.public import api as policies_api
from mailer.policies.public import views as policies_views
from mailer.services import admin as services_admin
from mailer.services import api as services_api
from mailer.staff import access
from mailer.staff import admin as staff_admin
from mailer.terminations import admin as terminations_admin
from mailer.terminations import views as terminations_views

LIMIT = 1_000_000  # bytes of a request; a door that takes more says so itself
KEPT_SIGNED_IN = timedelta(days=30)
WORKING_DAY = timedelta(hours=12)
YEAR = 31_536_000

PUBLIC = (
    consent_views,
    policies_views,
    policies_api,
    terminations_views,
    inbound_views,
    agreements_views,
    ledger_views,
    services_api,
    health,
)
FOR_STAFF = (
    home,
    tasks,
    find,
    people,
    messages,
    evidence_page,
    configuration,
    routes_page,
    staff_admin,
    policies_admin,
    drafts_admin,
    notices_admin,
    notices_version,
    notices_person,
    notices_export,
    campaigns_admin,
    terminations_admin,
    answer_templates_admin,
    brakes,
    inbound_admin,
    services_admin,
)
# doors that prove who calls in another way than by our cookie: a signed link, a signed call, a bearer
WITHOUT_CSRF = (consent_views, services_api)

CONTENT_SECURITY = (
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "form-action 'self'; frame-src 'self'; base-uri 'none'; frame-ancestors 'none'"
)


class Sessions(SecureCookieSessionInterface):
    """Flask's signed cookie, with SHA-256 (TRAPS 13)."""

    digest_method = staticmethod(hashlib.sha256)

    def save_session(self, app: Flask, session: SessionMixin, response: Response) -> None:
        """A page that caches may share is the same for everybody: it neither sets a cookie nor varies by one."""
        if session.modified or not response.cache_control.public:
            super().save_session(app, session, response)


def create_app() -> Flask:
    """The app, made from the settings in force."""
    app = Flask("mailer", static_folder=str(places.STATIC), template_folder=str(places.TEMPLATES))
    app.session_interface = Sessions()
    _configure(app, settings.current())
    csrf = CSRFProtect(app)
    access.init(app)
    words.init(app)
    frame.init(app)
    faults.init(app)
    for room in (*PUBLIC, *FOR_STAFF):
        app.register_blueprint(room.bp)
    for room in WITHOUT_CSRF:
        csrf.exempt(room.bp)
    upload = inbound_api.door(services_api.verify)
    csrf.exempt(upload)
    app.register_blueprint(upload)
    if settings.current().catches_mail:
        app.register_blueprint(post_office_views.bp)
    app.add_url_rule("/", "front", lambda: redirect(words.POLICY_URL))
    app.after_request(_secure)
    return app


def _configure(app: Flask, now: settings.Settings) -> None:
    app.config.update(
        SECRET_KEY=now.keys[0],
        SECRET_KEY_FALLBACKS=list(now.keys[1:]),
        MAX_CONTENT_LENGTH=LIMIT,
        MAX_FORM_MEMORY_SIZE=LIMIT,
        SEND_FILE_MAX_AGE_DEFAULT=YEAR,  # the address of a file holds its digest
        SESSION_COOKIE_NAME="mailer_session",
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_COOKIE_SECURE=now.is_production,
        PERMANENT_SESSION_LIFETIME=WORKING_DAY,
        REMEMBER_COOKIE_NAME="mailer_kept",
        REMEMBER_COOKIE_DURATION=KEPT_SIGNED_IN,
        REMEMBER_COOKIE_HTTPONLY=True,
        REMEMBER_COOKIE_SAMESITE="Lax",
        REMEMBER_COOKIE_SECURE=now.is_production,
        WTF_CSRF_TIME_LIMIT=None,  # as long as the session: a campaign is not written within an hour
        WTF_CSRF_SSL_STRICT=False,  # wants a Referer, which our own Referrer-Policy withholds
    )


def _secure(response: Response) -> Response:
    """Headers of every answer; one that needs another content policy (a mail in a frame) sets its own before."""
    headers = response.headers
    headers.setdefault("Content-Security-Policy", CONTENT_SECURITY)
    headers.setdefault("X-Content-Type-Options", "nosniff")
    headers.setdefault("Referrer-Policy", "no-referrer")
    headers.setdefault("Cross-Origin-Opener-Policy", "same-origin")
    if settings.current().is_production:
        headers.setdefault("Strict-Transport-Security", f"max-age={YEAR}")
    if request.path.startswith("/admin"):
        headers.setdefault("Cache-Control", "no-store")
    return response
