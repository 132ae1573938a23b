from __future__ import annotations

import re
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


@pytest.mark.parametrize(
    ("css", "fault"),
    [
        ("@supports (display: grid) { p { color: red } }", "“@supports”"),
        ("@layer base { p { color: red } }", "“@layer”"),
        ("@layer base; p { color: red }", "“@layer”"),
        ("@container (min-width: 1px) { p { color: red } }", "“@container”"),
        ("@KEYFRAMES k { from { top: 0 } }", "“@KEYFRAMES”"),
        ("@media print { @supports (display: grid) { p { color: red } } }", "“@supports”"),
        ("p { color: red; & a { color: blue } }", "a rule within a rule"),
        ("p { color: red; a { color: blue } }", "a rule within a rule"),
        ("@media print { p { color: red; a { color: blue } } }", "a rule within a rule"),
        ("@media print { @media screen { p { color: red } } }", "a rule within a rule"),
        ("p { @media print { color: red } }", "a rule within a rule"),
        ("p { color: red } a { color: blue", "a brace open"),
        ("p { color: red } } a { color: blue }", "never opened"),
    ],
)
def test_styles_that_inlining_would_drop_without_a_word_are_refused_by_name(css: str, fault: str) -> None:
    with pytest.raises(BadWording, match=fault) as refused:
        render(body_html=Markup(f"<style>{css}</style><p>Hello.</p>"))
    assert refused.value.field == "html"


@pytest.mark.parametrize(
    "css",
    [
        "/* @layer { */ p { color: red }",
        "p::before { content: '} @layer {' }",
        'p { font-family: "a{b"; color: red }',
        "p { background: url(data:image/png;base64,{}) }",
        "@media print { p { color: red } a { color: blue } } p { top: 0 }",
        "@media print { p { color: red } } @media screen { p { color: blue } }",
    ],
)
def test_styles_that_only_look_like_it_are_taken(css: str) -> None:
    assert "Hello." in render(body_html=Markup(f"<style>{css}</style><p>Hello.</p>")).html


def test_a_media_rule_keeps_all_its_rules() -> None:
    css = "@media print { .a { color: red !important } .b { margin: 1px } }"
    html = render(body_html=Markup(f'<style>{css}</style><p class="a">a</p><p class="b">b</p>')).html
    assert re.search(r"@media print \{\s*\.a \{\s*color: red !important;?\s*\}\s*\.b \{\s*margin: 1px", html)


@pytest.mark.parametrize(
    "page",
    [
        '<style>.a {{ width: 3px }}</style><p class="a" style="width: {mark}">x</p>',
        "<style>.a {{ color: {mark} }}</style><p>x</p>",
        '<style>.a {{ color: {mark} }}</style><p class="a">x</p><p class="a">y</p>',
    ],
    ids=["lost or repeated as an attribute", "lost in a rule of nothing", "repeated by a rule"],
)
def test_a_value_that_inlining_would_lose_or_repeat_is_refused_by_name(page: str) -> None:
    with pytest.raises(BadWording, match="“company” stands in a style") as refused:
        render(body_html=Markup(page.format(mark=slots.word("company"))))
    assert refused.value.field == "html"


def test_values_in_text_links_and_titles_are_as_many_after_inlining_as_before() -> None:
    mark = slots.word("company")
    page = f'<p title="{mark}">{mark} <a href="https://x.example/?a={mark}&amp;b={mark}#{mark}">{mark}</a></p>'
    html = render(body_html=Markup(page)).html
    kept = f"{slots.OPEN}company{slots.CLOSE}"
    assert html.count(kept) == 6
    assert f'href="https://x.example/?a={kept}&amp;b={kept}#{kept}"' in html


def test_frozen_wording_has_one_kind_of_line_end() -> None:
    wording = render(body_text="One\r\ntwo\rthree", body_html=Markup("<pre>One\r\ntwo\rthree</pre>"))
    assert "\r" not in wording.text + wording.html
    assert "One\ntwo\nthree" in wording.text


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
