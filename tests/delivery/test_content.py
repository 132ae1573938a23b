from __future__ import annotations

import socket
import threading

import pytest
from jinja2 import UndefinedError
from markupsafe import Markup

from mailer.delivery import content, slots
from mailer.delivery.content import BadWording
from mailer.outbox.rules import MailKind

FACTS = {"subject": "A message", "preheader": "", "greets": False, "body_text": "Hello.", "body_html": "<p>Hello.</p>"}


def render(**facts: object) -> content.Wording:
    return content.render(MailKind.ADMINISTRATIVE, "en", {**FACTS, **facts}, why="A test.")


@pytest.mark.parametrize(
    "css",
    [
        "@import url(http://127.0.0.1:{port}/a.css);",
        "@IMPORT 'http://127.0.0.1:{port}/a.css';",
        r"@\69mport url(http://127.0.0.1:{port}/a.css);",
        r"@im\70 ort url(http://127.0.0.1:{port}/a.css);",
        "@font-face {{ src: url(http://127.0.0.1:{port}/a.woff) }}",
    ],
)
def test_wording_that_would_fetch_is_refused_and_nothing_is_fetched(css: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0.2)
        style = f"<style>{css.format(port=server.getsockname()[1])}</style>"
        with pytest.raises(BadWording, match="@import"):
            render(body_html=Markup(style))
        with pytest.raises(TimeoutError):
            server.accept()


def test_links_images_and_styles_named_in_a_mail_are_not_fetched() -> None:
    hits: list[object] = []
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0.5)

        def listen() -> None:
            try:
                hits.append(server.accept())
            except TimeoutError:
                return

        thread = threading.Thread(target=listen)
        thread.start()
        base = f"http://127.0.0.1:{server.getsockname()[1]}"
        page = (
            f'<link rel="stylesheet" href="{base}/a.css"><img src="{base}/b.png">'
            f'<p style="background: url({base}/c)">x</p>'
        )
        assert f"{base}/b.png" in render(body_html=Markup(page)).html
        thread.join()
    assert hits == []


def test_the_word_import_may_be_written_about() -> None:
    assert "@import" in render(body_text="Use @import.", body_html=Markup("<p>Use @import.</p>")).html


def test_css_is_inlined_and_media_rules_stay_with_their_weight() -> None:
    html = render().html
    assert 'style="' in html
    assert "@media" in html
    assert "!important" in html


def test_slots_survive_inlining_also_inside_a_link() -> None:
    wording = render()
    assert {"greeting", "leave_url"} <= slots.names(wording.html)
    assert slots.names(wording.text) <= slots.names(wording.html)
    filled = slots.fill(wording.html, dict.fromkeys(slots.names(wording.html), "https://x.example/?a=1&b=2"), html=True)
    assert 'href="https://x.example/?a=1&amp;b=2"' in filled
    assert str(slots.word("x")).split("x")[1] not in filled, "no mark is left"


@pytest.mark.parametrize("subject", ["", "   ", "x" * 301])
def test_a_subject_is_one_line_of_a_sane_length(subject: str) -> None:
    with pytest.raises(BadWording, match=r"^subject: ") as refused:
        render(subject=subject)
    assert refused.value.field == "subject"


def test_a_fact_that_a_template_wants_and_does_not_get_is_an_error() -> None:
    with pytest.raises(UndefinedError):
        content.render(MailKind.ADMINISTRATIVE, "en", {"subject": "x"}, why="A test.")


def test_facts_cannot_smuggle_marks_in() -> None:
    wording = render(body_text=f"a{slots.OPEN}secret{slots.CLOSE}b")
    assert "secret" not in slots.names(wording.text)


def test_slots_have_no_hidden_names() -> None:
    with pytest.raises(AttributeError):
        _ = slots.Slots()._private
