#!/usr/bin/env python3
"""Say whether a bundle of evidence holds: python3 verify.py [BUNDLE.zip or the folder it was unpacked to].

It needs Python 3.8 or later and nothing else: no network, no other file. It answers in one sentence and ends with 0 if
all holds, with 1 if anything does not. What is checked, and why that proves it, stands in README.txt.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import sys
import zipfile
from datetime import date, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Iterator  # noqa: UP035 - Python 3.8

FORMAT = "mailer-evidence-1"
MANIFEST = "manifest.json"
NOTICE_DAYS = 30
BACKED = ("texts/", "mail/", "received/")  # what stands here must be in the ledger by its digest
DAYS = ("notified_on", "respond_by_on", "binding_on")

if TYPE_CHECKING:  # Python 3.8 knows these words in annotations only
    Files = dict[str, bytes]
    Entries = dict[int, dict[str, Any]]


class Fault(Exception):
    """What does not hold, as the rest of a sentence."""


def pack(files: Files) -> bytes:
    """The archive of these files: the same files give the same bytes, on any machine."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_STORED) as archive:
        for name in sorted(files):
            member = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
            member.create_system, member.external_attr = 3, 0o100644 << 16
            archive.writestr(member, files[name])
    return made.getvalue()


def spell(value: Any) -> bytes:
    """JSON to read and to compare: sorted, one spelling only."""
    return (json.dumps(value, indent=1, sort_keys=True, ensure_ascii=False) + "\n").encode()


def manifest(files: Files, about: dict[str, str]) -> bytes:
    """The list of the files with their digests; its seal is the digest of all the rest of it."""
    said = {"about": about, "files": {name: sha256(data) for name, data in files.items()}, "format": FORMAT}
    return spell({**said, "seal": sha256(spell(said))})


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def read(path: str) -> Files:
    """The files of a bundle, packed or unpacked."""
    if not Path(path).exists():
        raise Fault(f"there is no {path}")
    return _read_folder(path) if Path(path).is_dir() else _read_archive(path)


def check(path: str) -> list[str]:
    """The sentence that all holds, and the heads to compare; Fault with what does not."""
    files = read(path)
    about = _check_manifest(files)
    if Path(path).is_file() and Path(path).read_bytes() != pack(files):
        raise Fault("the archive itself was changed, outside the files in it")
    return _check_facts(files, about)


def main(arguments: list[str]) -> int:
    path = arguments[0] if arguments else str(Path(__file__).resolve().parent)
    try:
        said = check(path)
    except Fault as fault:
        said = [f"This does not hold: {fault}."]
    for line in said:  # a forger's words must not steer the terminal
        print("".join(letter if letter.isprintable() else "?" for letter in line))
    return 0 if said[0].startswith("All holds") else 1


def _read_folder(path: str) -> Files:
    found = {one.relative_to(path): one for one in Path(path).rglob("*") if one.is_file()}
    ours = {one for one in found if not any(part.startswith((".", "__")) for part in one.parts)}
    return {one.as_posix(): found[one].read_bytes() for one in ours}


def _read_archive(path: str) -> Files:
    what, files = f"{path}, or the list of files in it,", {}
    try:
        with zipfile.ZipFile(path) as archive:
            for member in archive.infolist():
                what = member.filename
                files[what] = archive.read(member)
    except Exception:  # whatever a changed byte leads zipfile to
        raise Fault(f"{what} was changed") from None
    return files


def _check_manifest(files: Files) -> dict[str, str]:
    data = files.pop(MANIFEST, None)
    if data is None:
        raise Fault(f"{MANIFEST} is missing")
    try:
        said = json.loads(data.decode("utf-8"))
        about, wanted = dict(said["about"]), dict(said["files"])
        sealed = {"about": about, "files": wanted, "format": FORMAT}
        is_whole = data == spell({**sealed, "seal": sha256(spell(sealed))})
    except (ValueError, KeyError, TypeError, RecursionError):
        is_whole = False
    if not is_whole:
        raise Fault(f"{MANIFEST} was changed")
    for name in sorted(set(wanted) | set(files)):
        if name not in files:
            raise Fault(f"{name} is missing")
        if name not in wanted:
            raise Fault(f"{name} does not belong here")
        if sha256(files[name]) != wanted[name]:
            raise Fault(f"{name} was changed")
    files[MANIFEST] = data
    return about


def _check_facts(files: Files, about: dict[str, str]) -> list[str]:
    """What the files say must follow from the ledger, even if somebody made a new manifest for them."""
    try:
        proof = json.loads(files["ledger/proof.json"].decode())
        summary = json.loads(files["summary.json"].decode())
        entries = _entries(files, proof)
        backed = _check_claims(files, entries, proof) | _check_leaves(files, entries, proof)
        for name in files:
            if name.startswith(BACKED) and not name.endswith(".json") and name not in backed:
                raise Fault(f"{name} is not in the ledger")
        _check_about(about, summary, entries, proof)
        if about["kind"] == "person":
            _check_clock(files, summary, entries, proof)
        else:
            _check_people(files, summary, entries)
        return _sentence(about, summary, proof, entries)
    except Fault:
        raise
    except Exception as fault:  # whatever a forger's files lead to
        raise Fault(f"the bundle does not have the form that this program knows ({fault!r})") from None


def _entries(files: Files, proof: dict[str, Any]) -> Entries:
    """The ledger's entries, each hashed from its own words and led up to the root of its head."""
    for head in proof["heads"]:
        size, root = head["seq"], head["root"]
        if _climb(_leaf(head["hash"]), size - 1, size, head["path"]) != root:
            raise Fault(f"ledger/proof.json: the last entry of the head of entry {size} is another")
    found = {}
    lines = files["ledger/entries.jsonl"].splitlines()
    for line, place in zip(lines, proof["entries"]):  # noqa: B905 - Python 3.8
        fields = json.loads(line)
        seq, head = int(fields[0]), proof["heads"][place["head"]]
        hashed = sha256("\n".join(fields).encode())
        if seq != place["seq"] or seq > head["seq"]:
            raise Fault(f"ledger/proof.json: entry {seq} has another place")
        if _climb(_leaf(hashed), seq - 1, head["seq"], place["path"]) != head["root"]:
            raise Fault(f"ledger/entries.jsonl: entry {seq} is not in the ledger of its head")
        found[seq] = {"kind": fields[1], "at": fields[2], "digest": fields[4], **json.loads(fields[3])}
    if len(lines) != len(proof["entries"]):
        raise Fault("ledger/entries.jsonl: an entry has no proof")
    return found


def _check_claims(files: Files, entries: Entries, proof: dict[str, Any]) -> set[str]:
    """Files whose SHA-256 the ledger names: the texts, and what was received."""
    backed = set()
    for claim in proof["claims"]:
        said: Any = entries[claim["entry"]]
        for name in claim["field"].split("."):
            said = said[name]
        if said != claim["sha256"]:
            raise Fault(f"ledger/proof.json: entry {claim['entry']} names another digest")
        name = claim.get("file")
        if name is not None:
            if sha256(files[name]) != said:
                raise Fault(f"{name} is not what entry {claim['entry']} of the ledger names")
            backed.add(name)
    return backed


def _check_leaves(files: Files, entries: Entries, proof: dict[str, Any]) -> set[str]:
    """What a batch of mails proves by its Merkle root: the bytes of a mail, the days of a person."""
    backed = set()
    for one in proof["leaves"]:
        entry, said = entries[one["entry"]], one.get("said")
        what = one.get("file") or "ledger/proof.json"
        digest = one["sha256"] if said is None else sha256(said.encode())
        if "file" in one:
            if sha256(files[what]) != digest or one["message"][4:].encode() not in files[what]:
                raise Fault(f"{what} is not the mail that was sent")
            backed.add(what)
        if (
            one["size"] != entry["count"]
            or _climb(_leaf(digest), one["index"], one["size"], one["path"]) != entry["root"]
        ):
            raise Fault(f"{what} is not in the batch of entry {one['entry']}")
    return backed


def _check_about(about: dict[str, str], summary: dict[str, Any], entries: Entries, proof: dict[str, Any]) -> None:
    for name in about:
        if summary[name] != about[name]:
            raise Fault(f"summary.json and {MANIFEST} are not about the same")
    released = entries[proof["released"]]
    said = {"kind": "policy.released", "version": about["version"], "effective_on": summary["effective_on"]}
    if any(released[name] != value for name, value in said.items()):
        raise Fault("summary.json: the ledger's entry of the release says something else")


def _check_clock(files: Files, summary: dict[str, Any], entries: Entries, proof: dict[str, Any]) -> None:
    """The days of a person are those that the ledger has, and they follow from the day of the notice."""
    clock = summary["clock"]
    if clock is None:
        return
    if clock["leaf"] is not None:
        said = json.loads(proof["leaves"][clock["leaf"]]["said"])
        shown = {one.get("message") for one in proof["leaves"]} | {Path(name).stem for name in files}
        if said["message"] not in shown:
            raise Fault("ledger/proof.json: the mail from which the days run is not in it")
    else:
        said = entries[clock["entry"]]
    wanted = {"contact": summary["contact"], "version": summary["version"], **{name: clock[name] for name in DAYS}}
    if any(said[name] != value for name, value in wanted.items()):
        raise Fault("summary.json: the ledger has other days for this person")
    void = {one.get("message") for one in entries.values() if one["kind"] == "notice.voided"}
    if said.get("kind") == "notice.voided" or said.get("message", "") in void:
        raise Fault("summary.json: the notice from which the days run is void")
    last, binding = reckon(clock["notified_on"], summary["effective_on"], clock["days_off"])
    if (last, binding) != (clock["respond_by_on"], clock["binding_on"]):
        raise Fault("summary.json: the days do not follow from the day of the notice")


def reckon(notified_on: str, effective_on: str, days_off: list[str]) -> tuple[str, str]:
    """The last day to answer and the first day bound, by Regulation 1182/71 art. 3; ISO dates, holidays given."""
    last = date.fromisoformat(notified_on) + timedelta(days=NOTICE_DAYS)
    while last.weekday() >= 5 or last.isoformat() in days_off:
        last += timedelta(days=1)
    return last.isoformat(), max(date.fromisoformat(effective_on), last + timedelta(days=1)).isoformat()


def _check_people(files: Files, summary: dict[str, Any], entries: Entries) -> None:
    """The lists and the counts are those of the people; whoever counts as told by mail is in a batch of the ledger."""
    told = _check_told(files, summary, entries)
    lists: dict[str, list[str]] = {}
    leaves = []
    for line in _lines(files["people.jsonl.gz"]):
        one = json.loads(line)
        leaves.append(_leaf(sha256(line)))
        days = tuple(one.get(name) for name in DAYS)
        if "told_by_mail" in one["lists"] and told.get(one["contact"]) != days:
            raise Fault(f"people.jsonl.gz: the ledger has other days for {one['contact']}")
        for name in one["lists"]:
            lists.setdefault(name, []).append(one["contact"])
    if summary["counts"] != {name: len(ids) for name, ids in lists.items()} or summary["people"] != len(leaves):
        raise Fault("summary.json: the counts are not those of people.jsonl.gz")
    if summary["root"] != _root(leaves):
        raise Fault("summary.json: the Merkle root is not that of people.jsonl.gz")
    for name in {*lists, *(name[6:-4] for name in files if name.startswith("lists/"))}:
        if files.get(f"lists/{name}.txt") != "".join(one + "\n" for one in lists.get(name, [])).encode():
            raise Fault(f"lists/{name}.txt is not the list that people.jsonl.gz gives")


def _check_told(files: Files, summary: dict[str, Any], entries: Entries) -> dict[str, tuple[str, ...]]:
    """The last days of each person that a batch proves; every batch must have the root that its entry names."""
    told: dict[str, tuple[str, ...]] = {}
    batches: dict[int, list[bytes]] = {}
    for line in _lines(files["told.jsonl.gz"]):
        seq, contact, message, *days = json.loads(line)
        said = {"contact": contact, "message": message, "version": summary["version"], **dict(zip(DAYS, days))}  # noqa: B905
        spelled = json.dumps(said, sort_keys=True, separators=(",", ":"))
        batches.setdefault(seq, []).append(_leaf(sha256(spelled.encode())))
        told[contact] = tuple(days)
    for seq, entry in entries.items():
        if entry["kind"] == "notices.accepted" and _root(batches.pop(seq, [])) != entry["root"]:
            raise Fault(f"told.jsonl.gz: the batch of entry {seq} has another root")
    if batches:
        raise Fault("told.jsonl.gz: a batch is not in the ledger")
    return told


def _lines(packed: bytes) -> Iterator[bytes]:
    with gzip.GzipFile(fileobj=io.BytesIO(packed)) as file:
        for line in file:
            yield line.rstrip(b"\n")


def _sentence(about: dict[str, str], summary: dict[str, Any], proof: dict[str, Any], entries: Entries) -> list[str]:
    heads, mails = proof["heads"], sum(1 for one in proof["leaves"] if "file" in one)
    days = ", ".join(head["on"] for head in heads if head["on"])
    later = sum(1 for place in proof["entries"] if not heads[place["head"]]["on"])
    known = _counted(len(entries) - later, "entry", "entries")
    parts = ["no file was changed", *([f"{known} in the ledger as published on {days}"] if days else [])]
    if later:
        parts.append(f"{_counted(later, 'entry', 'entries')} in it that no published head holds yet")
    if about["kind"] == "person":
        parts.append(f"{_counted(mails, 'mail', 'mails')} as sent, byte for byte")
        parts.append("the days follow from the day of the notice" if summary["clock"] else "no days are proven")
        parts += summary["gaps"]
    else:
        people = _counted(summary["people"], "person", "people")
        parts.append(f"the lists are those of {people} under the Merkle root {summary['root']}")
    lines = [f"All holds: {'; '.join(parts)}.", "Compare these heads with what was published:"]
    return lines + [f"  {h['on'] or 'unpublished'}  {h['seq']}:{h['hash']}  root {h['root']}" for h in heads]


def _counted(number: int, one: str, many: str) -> str:
    return f"{number} {one if number == 1 else many}"


def _leaf(digest: str) -> bytes:
    return hashlib.sha256(b"\x00" + bytes.fromhex(digest)).digest()


def _node(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(b"\x01" + left + right).digest()


def _climb(start: bytes, index: int, size: int, path: list[str]) -> str | None:
    """The root to which a path leads from leaf number `index` of `size` (RFC 6962); None if it is no such path."""
    if not 0 <= index < size:
        return None
    beside = [bytes.fromhex(one) for one in reversed(path)]
    while size > 1:
        if index ^ 1 < size:
            if not beside:
                return None
            start = _node(beside.pop(), start) if index & 1 else _node(start, beside.pop())
        index, size = index // 2, (size + 1) // 2
    return None if beside else start.hex()


def _root(level: list[bytes]) -> str:
    while len(level) > 1:
        pairs = [_node(level[i], level[i + 1]) for i in range(0, len(level) - 1, 2)]
        level = pairs + level[len(pairs) * 2 :]
    return (level[0] if level else hashlib.sha256(b"").digest()).hex()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
