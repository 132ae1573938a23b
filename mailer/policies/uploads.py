"""How large a request may be that brings the text of a policy, or a file of it, in several languages."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import request

from mailer.policies.documents import FILE_BYTES
from mailer.policies.written import TEXT_BYTES

TEXTS = 8
"""Texts of the longest kind that one form may hold, in as many languages."""


def let_in(endpoint: str | None, values: Mapping[str, Any] | None) -> None:
    """A blueprint's `url_value_preprocessor`: runs before anything reads the form."""
    request.max_form_memory_size = TEXTS * TEXT_BYTES
    request.max_content_length = TEXTS * TEXT_BYTES + 2 * FILE_BYTES
