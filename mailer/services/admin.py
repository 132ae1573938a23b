"""The operator's pages about other services: who they are, what came, what went, what was given up."""

from __future__ import annotations

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from mailer import clock, doorbell, settings
from mailer.db import reading, transaction
from mailer.errors import Conflict, Invalid
from mailer.services import actions, calls, queries
from mailer.services.forms import ListeningForm, ServiceForm
from mailer.services.models import Service
from mailer.services.rules import DeliveryState
from mailer.staff.access import needs
from mailer.staff.rules import May

bp = Blueprint("services", __name__, url_prefix="/admin/services")
STATES = {"": "All", DeliveryState.DEAD.value: "Dead letters", DeliveryState.QUEUED.value: "Waiting"}


@bp.get("/")
@needs(May.OPERATE)
def index() -> ResponseReturnValue:
    with reading() as session:
        found, dead = queries.all_services(session), queries.dead_letters(session)
    return render_template("admin/services/list.html", services=found, dead=dead)


@bp.get("/new")
@needs(May.OPERATE)
def new() -> ResponseReturnValue:
    return render_template("admin/services/new.html", form=ServiceForm())


@bp.post("/new")
@needs(May.OPERATE)
def create() -> ResponseReturnValue:
    form = ServiceForm()
    if not form.validate_on_submit():
        return render_template("admin/services/new.html", form=form), 422
    try:
        with transaction() as session:
            service, keys = actions.create(
                session,
                name=form.name.data.strip(),
                endpoint=form.endpoint.data or "",
                hears=form.hears.data,
                at=clock.now(),
            )
    except (Invalid, Conflict) as fault:
        form[fault.field or "name"].errors = [str(fault)]
        return render_template("admin/services/new.html", form=form), fault.status
    return _keys_page(service, keys)


@bp.get("/<service_id>")
@needs(May.OPERATE)
def show(service_id: str) -> ResponseReturnValue:
    with reading() as session:
        form = ListeningForm(obj=queries.get(session, service_id))
    return _page(service_id, form)


@bp.post("/<service_id>")
@needs(May.OPERATE)
def edit(service_id: str) -> ResponseReturnValue:
    form = ListeningForm()
    if not form.validate_on_submit():
        return _page(service_id, form), 422
    try:
        with transaction() as session:
            service = queries.get(session, service_id)
            actions.edit(session, service, endpoint=form.endpoint.data or "", hears=form.hears.data, at=clock.now())
    except Invalid as fault:
        form[fault.field or "endpoint"].errors = [str(fault)]
        return _page(service_id, form), fault.status
    flash("Kept. It holds for events from now on.", "success")
    return redirect(url_for(".show", service_id=service_id), 303)


@bp.post("/<service_id>/rotate")
@needs(May.OPERATE)
def rotate(service_id: str) -> ResponseReturnValue:
    with transaction() as session:
        service = queries.get(session, service_id)
        if not _typed(service, "confirm_rotate"):
            return redirect(url_for(".show", service_id=service_id), 303)
        keys = actions.rotate(session, service, clock.now())
    return _keys_page(service, keys)


@bp.post("/<service_id>/disable")
@needs(May.OPERATE)
def disable(service_id: str) -> ResponseReturnValue:
    with transaction() as session:
        service = queries.get(session, service_id)
        if _typed(service, "confirm_disable"):
            actions.disable(session, service, clock.now())
            flash(f"{service.name} is disabled: its calls are refused and it hears nothing more.", "success")
    return redirect(url_for(".show", service_id=service_id), 303)


@bp.post("/<service_id>/deliveries/<int(max=9223372036854775807):delivery_id>/again")
@needs(May.OPERATE)
def again(service_id: str, delivery_id: int) -> ResponseReturnValue:
    try:
        with transaction() as session:
            actions.call_again(session, queries.get_delivery(session, service_id, delivery_id), clock.now())
    except Conflict as fault:
        flash(str(fault), "error")
    else:
        doorbell.ring("chores", "rq_jobs.publish_events.publish_events")
        flash("It is called again now.", "success")
    return redirect(url_for(".show", service_id=service_id, _anchor="deliveries"), 303)


def _page(service_id: str, form: ListeningForm) -> str:
    asked = request.args.get("state", "")
    state = DeliveryState(asked) if asked in STATES and asked else None
    with reading() as session:
        service = queries.get(session, service_id)
        received = queries.last_received(session, service.id)
        deliveries = queries.last_deliveries(session, service.id, state)
        dead = queries.dead_letters(session).get(service.id, 0)
    views = [
        {
            "href": url_for(".show", service_id=service.id, state=key or None, _anchor="deliveries"),
            "label": f"{label} ({dead})" if key == DeliveryState.DEAD else label,
            "current": key == (state.value if state else ""),
        }
        for key, label in STATES.items()
    ]
    return render_template(
        "admin/services/service.html",
        service=service,
        form=form,
        received=received,
        deliveries=deliveries,
        views=views,
        event_id=calls.event_id,
        received_id=queries.received_id,
        webhook_url=_webhook_url(service),
    )


def _keys_page(service: Service, keys: actions.Keys) -> str:
    """The only page that ever shows a secret; it is not kept by any cache, and never shown again."""
    return render_template("admin/services/keys.html", service=service, keys=keys, webhook_url=_webhook_url(service))


def _typed(service: Service, field: str) -> bool:
    """Whether the service's name was typed, as both steps that cannot be taken back ask for."""
    if request.form.get(field, "").strip() == service.name:
        return True
    flash(f"Nothing was changed: type {service.name} to go on.", "error")
    return False


def _webhook_url(service: Service) -> str:
    return f"{settings.current().url}/webhooks/{service.name}"
