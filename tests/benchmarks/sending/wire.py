"""The baselines on the wire: prepared bytes pushed by blocking connections, with or without a signature for each.

    python -m tests.benchmarks.sending.wire PORT --mails N --bytes N [--sign]

A process has four connections, each with a thread of its own, and two round trips a mail: MAIL, RCPT and DATA in one
write, then the body. With `--sign` each mail gets a DKIM signature (RFC 6376, rsa-sha256): the body's digest, then
RSA-2048 over the header. Nothing else is done: no row, no record, no error handling.
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import json
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.hashes import SHA256

from mailer.errors import MailerError
from tests.benchmarks.sending import sinks

PROCESSES = 2
CONNECTIONS = 4
_LINE = b"A line of a letter that was prepared before the clock began to run.=\r\n"


class BaselineFailed(MailerError):
    """A baseline did not come to its end."""


def smtp_source(port: int, mails: int, size: int) -> float:
    """Mails a second of the C program: one canned message on as many connections, each kept open."""
    sessions = str(PROCESSES * CONNECTIONS)
    command = [sinks.program("smtp-source"), "-d", "-s", sessions, "-m", str(mails), "-l", str(size)]
    begun = time.monotonic()
    subprocess.run([*command, "-f", "a@a.example", "-t", "b@b.example", f"127.0.0.1:{port}"], check=True, timeout=600)
    return mails / (time.monotonic() - begun)


def pump(port: int, mails: int, size: int, *, sign: bool = False) -> float:
    """Mails a second of bare connections, from the first connection to the last answer."""
    share = mails // PROCESSES
    command = [sys.executable, "-m", "tests.benchmarks.sending.wire", str(port), "--mails", str(share)]
    command += ["--bytes", str(size), *(["--sign"] if sign else [])]
    running = [
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) for _ in range(PROCESSES)
    ]
    try:
        for process in running:
            assert process.stdout is not None
            process.stdout.readline()  # it is ready
        for process in running:
            assert process.stdin is not None
            process.stdin.write("go\n")
            process.stdin.flush()
        times = [json.loads(process.communicate(timeout=600)[0] or "[]") for process in running]
    finally:
        for process in running:
            process.kill()
            process.wait()
    if not all(times):
        raise BaselineFailed("The pump of prepared bytes ended early; what it said stands above.")
    begun, ended = min(begin for begin, _ in times), max(end for _, end in times)
    return share * PROCESSES / float(ended - begun)


def prepared(size: int) -> bytes:
    """A mail of about `size` bytes, complete with its final dot."""
    head = b"From: a@a.example\r\nTo: b@b.example\r\nSubject: prepared\r\nMIME-Version: 1.0\r\n"
    head += b"Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n"
    lines = max(1, (size - len(head)) // len(_LINE))
    return head + _LINE * (lines - 1) + b"The end.\r\n.\r\n"


def signing(mail: bytes) -> Callable[[], Iterator[bytes]]:
    """A maker of this mail with a fresh signature in front."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    head, _, body = mail.removesuffix(b".\r\n").partition(b"\r\n\r\n")
    fields = head.lower() + b"\r\ndkim-signature:v=1; a=rsa-sha256; c=relaxed/relaxed; d=a.example; s=s; h=from:to; bh="

    def make() -> Iterator[bytes]:
        digest = base64.b64encode(hashlib.sha256(body).digest())
        signature = key.sign(fields + digest + b"; b=", padding.PKCS1v15(), SHA256())
        yield b"DKIM-Signature: v=1; bh=" + digest + b";\r\n b=" + base64.b64encode(signature) + b"\r\n"
        yield mail

    return make


def _connection(port: int, mails: Iterator[int], make: Callable[[], Iterator[bytes]]) -> None:
    with socket.create_connection(("127.0.0.1", port)) as line:
        line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        heard = line.makefile("rb")
        heard.readline()
        line.sendall(b"EHLO bench.example\r\n")
        while heard.readline()[3:4] == b"-":
            pass
        envelope = b"MAIL FROM:<a@a.example>\r\nRCPT TO:<b@b.example>\r\nDATA\r\n"
        for _ in mails:
            line.sendall(envelope)
            heard.readline()
            heard.readline()
            if not heard.readline().startswith(b"354"):
                raise ConnectionError("the sink would not take a mail")
            line.sendall(b"".join(make()))
            if not heard.readline().startswith(b"250"):
                raise ConnectionError("the sink did not take a mail")
        line.sendall(b"QUIT\r\n")


def _push(port: int, mails: int, make: Callable[[], Iterator[bytes]]) -> None:
    left = iter(range(mails))  # one for all connections: whichever is free takes the next
    with ThreadPoolExecutor(CONNECTIONS) as threads:
        for done in [threads.submit(_connection, port, left, make) for _ in range(CONNECTIONS)]:
            done.result()


def main() -> None:
    """The command line of one process: says that it is ready, waits for a line, prints when it began and ended."""
    parser = argparse.ArgumentParser()
    parser.add_argument("port", type=int)
    parser.add_argument("--mails", type=int, required=True)
    parser.add_argument("--bytes", type=int, required=True)
    parser.add_argument("--sign", action="store_true")
    given = parser.parse_args()
    mail = prepared(given.bytes)
    make = signing(mail) if given.sign else lambda: iter((mail,))
    print("ready", flush=True)
    sys.stdin.readline()
    begun = time.time()
    _push(given.port, given.mails, make)
    print(json.dumps([begun, time.time()]))


if __name__ == "__main__":
    main()
