"""Signed links and addresses: one purpose each, every key of the settings, nothing that can be made by others."""

from __future__ import annotations

import hashlib
import hmac

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailer import ids, signing
from mailer.signing import BadToken, KeyGone
from tests.conftest import Configure

OLD, NEW = "an-older-key-" * 3, "a-newer-key-" * 3
PAYLOAD = ids.message_id(17).removeprefix("msg_")


@pytest.fixture(autouse=True)
def keys(configure: Configure) -> None:
    configure(secret_keys=OLD)


def test_a_token_says_what_was_signed_for_its_purpose_and_no_other() -> None:
    token = signing.sign("leave", "con_1.msg_1")
    assert signing.read("leave", token) == "con_1.msg_1"
    with pytest.raises(BadToken):
        signing.read("preferences", token)


@pytest.mark.parametrize("bad", ["", "x", ".", "con_1.msg_1", "con_1.msg_1.", "é.ü", "a" * 5000, "\x00", "\ud800"])
def test_anything_else_is_no_token(bad: str) -> None:
    with pytest.raises(BadToken):
        signing.read("leave", bad)


# made by the first release; links and addresses like these stand in people's mailboxes and must stay good
CONTACT = "con_01jd3v8k2m4p6q7r9stvwxyz01"
SENT = {
    OLD: {
        "key id": "g729",
        "leave": f"{CONTACT}.msg_000000000000h.lgwl31JCF3RtxhMAZc-hJhwuPvBNzVuhE-akaZNSN5g",
        "preferences": "Zoë.Dd7Ncv0cIWZ5_sinoirMN6CoxBFVdEWH8XIBEE-Pzn8",
        "reply+": "reply+g7290000100000c1sybpv20xemtz6pmnr@reply.company.example",
        "bounce+": "bounce+g7290000100000c1scdandv406n687jyb@reply.company.example",
        "leave+": "leave+g7290000100000c1sf1wj767n3advxqyb@reply.company.example",
        "id+": "id+g7290000100000c1s4w4df9n8xdeshw6x@reply.company.example",
        "digest": "8a0f9111cdb770be9d747b6e9e837dc4c8429460832bd6f31661eca0f305a2d7",
    },
    NEW: {
        "key id": "4mqn",
        "leave": f"{CONTACT}.msg_000000000000h.CPGfxBVa7opLBJtnY_Lec9R3CVFDn5htAl1N7HqrG08",
        "preferences": "Zoë.tVE9LvtCLf0cpsw2FC--8rFuC0gegQLGqPhDiImNEUc",
        "reply+": "reply+4mqn0000100000c1svy9ygsh79t0qnbpn@reply.company.example",
        "bounce+": "bounce+4mqn0000100000c1sd19bsbr0dyk0nh27@reply.company.example",
        "leave+": "leave+4mqn0000100000c1sygwjpdreannn7jrn@reply.company.example",
        "id+": "id+4mqn0000100000c1s9cmfgvw49tc2x29d@reply.company.example",
        "digest": "09610c8a33b9841f77f2c32179d44202a0a9cd4de04e3f9bfc985330a6557994",
    },
}


@pytest.mark.parametrize("key", [OLD, NEW], ids=["older", "newer"])
def test_what_earlier_releases_signed_is_signed_and_read_the_same(key: str, configure: Configure) -> None:
    configure(secret_keys=key)
    sent, payload = SENT[key], ids.message_id(2**40 + 12345).removeprefix("msg_")
    made = {
        "key id": signing.newest_key_id(),
        "leave": signing.sign("leave", f"{CONTACT}.msg_000000000000h"),
        "preferences": signing.sign("preferences", "Zoë"),
        **{
            f"{word}+": signing.address(word, payload, "reply.company.example")
            for word in ("reply", "bounce", "leave", "id")
        },
        "digest": signing.keyed_digest("erased-address", "anna@people.example"),
    }
    assert made == sent
    assert signing.read("leave", sent["leave"]) == f"{CONTACT}.msg_000000000000h"
    assert [signing.read_address(sent[f"{word}+"], word) for word in ("reply", "bounce", "leave", "id")] == [
        payload
    ] * 4


def test_every_cut_and_every_changed_letter_is_seen() -> None:
    token = signing.sign("leave", "con_1.msg_1")
    for place in range(len(token) - 1):  # some last letters spell the same bits: the id inside decides (TRAPS 13)
        changed = token[:place] + ("A" if token[place] != "A" else "B") + token[place + 1 :]
        for bad in (token[:place], changed):
            with pytest.raises(BadToken):
                signing.read("leave", bad)


def test_tokens_are_signed_with_sha_256() -> None:
    signature = signing.sign("leave", "x").rpartition(".")[2]
    assert len(signature) == 43, "256 bits in base 64; SHA-1 would have 27 letters"


def test_what_an_older_key_signed_is_read_and_the_newest_signs(configure: Configure) -> None:
    before, mail_before = signing.sign("leave", "x"), signing.address("reply", PAYLOAD, "r.example")
    old_id = signing.newest_key_id()
    configure(secret_keys=f"{NEW},{OLD}")
    assert signing.read("leave", before) == "x"
    assert signing.read_address(mail_before, "reply") == PAYLOAD
    assert signing.newest_key_id() != old_id
    assert signing.sign("leave", "x") != before == signing.sign("leave", "x", old_id)
    assert signing.address("reply", PAYLOAD, "r.example", old_id) == mail_before
    configure(secret_keys=NEW)
    with pytest.raises(BadToken):
        signing.read("leave", before)
    assert signing.read_address(mail_before, "reply") is None
    with pytest.raises(KeyGone, match=old_id):
        signing.sign("leave", "x", old_id)


def test_an_address_outlives_capitals_and_fits_into_a_local_part() -> None:
    for payload in (PAYLOAD, ids.new("con").removeprefix("con_")):
        address = signing.address("bounce", payload, "reply.company.example")
        local, _, _ = address.partition("@")
        assert len(local) <= 64, "RFC 5321 §4.5.3.1.1"
        assert address == address.lower()
        assert signing.read_address(address.upper(), "bounce") == payload


def test_an_address_of_one_word_is_none_of_another_and_every_changed_letter_is_seen() -> None:
    address = signing.address("reply", PAYLOAD, "r.example")
    assert signing.read_address(address, "bounce") is None
    assert signing.read_address(address.replace("reply+", "bounce+"), "bounce") is None
    local, _, domain = address.partition("@")
    for place in range(len("reply+"), len(local)):
        letter = "0" if local[place] != "0" else "1"
        assert signing.read_address(f"{local[:place]}{letter}{local[place + 1 :]}@{domain}", "reply") is None
        assert signing.read_address(f"{local[:place]}@{domain}", "reply") is None


@pytest.mark.parametrize("bad", ["", "reply", "reply+@r.example", "anna@people.example", "reply+" + "0" * 60])
def test_an_address_that_is_none_of_ours_says_nothing(bad: str) -> None:
    assert signing.read_address(bad, "reply") is None


def test_a_keyed_digest_is_found_under_every_key_and_says_nothing_without(configure: Configure) -> None:
    digest = signing.keyed_digest("erased-address", "anna@people.example")
    configure(secret_keys=f"{NEW},{OLD}")
    assert digest in signing.keyed_digests("erased-address", "anna@people.example")
    assert digest not in signing.keyed_digests("other", "anna@people.example")
    assert digest != hashlib.sha256(b"anna@people.example").hexdigest()


@given(st.binary(max_size=200), st.binary(max_size=100), st.binary(max_size=300))
def test_a_begun_hmac_is_that_of_the_standard_library(key: bytes, before: bytes, what: bytes) -> None:
    mac_of = signing.begun_hmac(key, before)
    assert mac_of(what) == hmac.digest(key, before + what, "sha256")
    assert mac_of(what) == hmac.digest(key, before + what, "sha256"), "it can be used again"
