"""The diff of two policy texts, for people: pure functions, no I/O.

Canonical form, version 2. A text is a sequence of blocks: paragraphs, headings, list items, table cells, code. Byte
order mark, front matter, comments, emphasis, list markers, table rules and empty blocks are no part of it; an empty
cell is a block without words. HTML is read as the Markdown that says the same: without scripts, styles, forms,
pictures, struck and hidden words, with ^ and _ before what is raised and lowered; an unknown tag, such as `<name>`,
is text. In a block, runs of white space are one space (in code: lines are kept, blanks at their ends are not);
letters are in Unicode NFC; soft hyphens and zero-width spaces are gone; outside code, every single quotation mark is
', every double one ", every apostrophe within a word ’; a link's or a picture's target follows its label as `
⟨target⟩`, unless the label is the target; literal ⟨⟩ become 〈〉. The canonical text is the blocks' texts with an empty
line between. A change of this form is a new `CANONICAL_VERSION`; two diffs compare only if made under one.
"""

from mailer.policies.diff.compare import diff
from mailer.policies.diff.model import CANONICAL_VERSION, Change, Diff, DiffBlock, Kind, Op, Ops, WordCount

__all__ = ["CANONICAL_VERSION", "Change", "Diff", "DiffBlock", "Kind", "Op", "Ops", "WordCount", "diff"]
