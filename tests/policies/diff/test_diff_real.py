import json
from collections import Counter
from pathlib import Path

from mailer.policies.diff import diff
from mailer.policies.diff.tokens import tokens


def test_real_histories_come_back_exactly(shared: Path) -> None:
    folder = shared / "data" / "policies"
    pairs = json.loads((folder / "manifest.json").read_text())["pairs"][::4]
    assert pairs
    for pair in pairs:
        old, new = ((folder / pair[side]).read_text() for side in ("old", "new"))
        found = diff(old, new)
        assert found.exact, pair["id"]
        if words(found.old_text) == words(found.new_text):
            assert found.words.removed == found.words.added == 0, pair["id"]


def words(text: str) -> Counter[str]:
    return Counter(token.text for token in tokens(text) if token.is_word)
