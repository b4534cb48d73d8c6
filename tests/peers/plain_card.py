#!/usr/bin/env python3
"""A plain virtual My Number card: the JPKI application, played over vpcd.

The card keeps every publicly documented rule and nothing more.  Its
certificates are deliberately plain: self-signed CAs and end entities which
carry a common name, a key usage and basic constraints only.

Where the public documents are silent, or contradict each other, this card
takes a legal answer that is not the obvious one:

  question                                   answer of this card
  -----------------------------------------  ----------------------------------
  answer to reset                            3BE000FF8131FE4514
  first command after power-up               answered normally, never 6F00
  after a warm reset                         nothing selected, PIN status kept
                                             for a SELECT of the same application
  SELECT of the application already current  drops the PIN status (a logout)
  SELECT of an AID that is not there         6A82, selection and status unchanged
  SELECT of a part of an AID                 6A82, only the whole AID counts
  SELECT of an EF that is not there          6A82, the current EF stays current
  SELECT with P2=00 and Le                   FCI: 6F{84 aid} or 6F{83 id}
  SELECT with P2=00 without Le               9000, no data
  SELECT with P1=09, P1=00 and an EF id      6A86
  READ BINARY at offset == size              6282, no data
  READ BINARY of a key or a PIN              6981
  READ BINARY with no current EF             6986
  READ BINARY by an SFI that is not there    6A82
  READ BINARY without Le                     6700
  empty VERIFY written with Lc=00            6700
  VERIFY with less than 4, more than 16      6700, no try spent (6984 if blocked)
  VERIFY with another length in 4..16        an ordinary wrong value: 63Cx
  wrong VERIFY after a right one             drops that PIN's status
  VERIFY with no current EF                  6986
  VERIFY on an EF that is not a PIN          6981
  VERIFY, 80 2A by SFI                       leave the current EF as it was
  CHANGE without VERIFY                      6982
  CHANGE, what the new PIN may be            any 4..16 bytes; other lengths 6700
  CHANGE, what it does to the status         nothing: the PIN stays verified
  80 2A with a wrong input length            6985
  80 2A without Le, or with Le below 256     6700
  80 2A with P2=00                           6A86
  80 2A 04/05, length of the PSS salt        32
  GET CHALLENGE with any extended Le         6985
  GET CHALLENGE with P1P2 other than 0000    6A86
  GET DATA 5F51                              only with an application selected
  other GET DATA objects                     6A88, none is on this card
  unknown INS                                6D00
  unknown CLA, command chaining (CLA 10)     6E00
  RESET RETRY COUNTER, GET RESPONSE          6D00
  EF 0005                                    there, never readable (6982)
  EF 0008                                    8F8F00
  EF 0009                                    there, never readable (6982)
  EF 0010, 0016, 0019, 001C, 001E            there, internal (6981)
  size of the certificate EFs                000A without filler, the others
                                             filled with FF up to 1536 bytes
  a second application                       the resident register one,
                                             D3921000310001010401: EF 0002 and
                                             PIN 001C (same value as 0018)
"""

from __future__ import annotations

import argparse
import base64
import contextlib
import enum
import hashlib
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

ATR = bytes.fromhex("3BE000FF8131FE4514")
OTHER_ATR = bytes.fromhex("3B8001818080")
JPKI_AID = bytes.fromhex("D392F000260100000001")
REGISTER_AID = bytes.fromhex("D3921000310001010401")
CARD_MANAGER_AID = bytes.fromhex("A0000001510000")

AUTH_TRIES = 3
SIGN_TRIES = 5
PIN_LENGTHS = range(4, 17)
MODULUS_BYTES = 256
LONGEST_SIGN_INPUT = MODULUS_BYTES - 11
SALT_BYTES = 32
FILLED_SIZE = 1536
SHA256_DIGEST_INFO = bytes.fromhex("3031300D060960864801650304020105000420")

MUTANTS: dict[str, str] = {
    # VERIFY and the counters
    "counter-not-spent": "a wrong PIN spends no try and says so (63Cx stays at the maximum)",
    "counter-only-announced": "a wrong PIN announces one try less, but the counter is not written",
    "counter-announced-late": "the answer to a wrong PIN gives the tries left before it, not after",
    "counter-not-refilled": "a right PIN does not refill the counter",
    "counter-refilled-short": "a right PIN refills the counter to one less than the maximum",
    "counter-refilled-to-five": "a right PIN refills every counter to 5, also that of 0018",
    "counter-refilled-by-power-off": "power-off refills the counters",
    "counter-refilled-by-select": "selecting the application refills the counters",
    "counter-shared": "a wrong PIN spends a try of the other PIN too",
    "auth-tries-five": "PIN 0018 has 5 tries instead of 3",
    "sign-tries-three": "PIN 001B has 3 tries instead of 5",
    "wrong-pin-6300": "a wrong PIN is answered 6300 instead of 63Cx",
    "exhausting-try-6984": "the try that exhausts the counter is answered 6984 instead of 63C0",
    "blocked-opens": "a blocked PIN still accepts the right value",
    "blocked-6983": "VERIFY on a blocked PIN is answered 6983 instead of 6984",
    "blocked-6985": "VERIFY on a blocked PIN is answered 6985 instead of 6984",
    "blocked-63c0": "VERIFY on a blocked PIN is answered 63C0 instead of 6984",
    "empty-verify-spends": "an empty VERIFY spends a try",
    "empty-verify-9000": "an empty VERIFY on a verified PIN is answered 9000 instead of 63Cx",
    "empty-verify-drops-status": "an empty VERIFY drops the status of the PIN",
    "empty-verify-opens": "an empty VERIFY grants the status of the PIN",
    "empty-verify-blocked-6984": "an empty VERIFY on a blocked PIN is answered 6984 instead of 63C0",
    "any-pin-accepted": "VERIFY accepts any value",
    "pin-compared-to-four": "VERIFY compares the first four bytes only",
    "sign-password-case-folded": "VERIFY of 001B folds lower case to upper case",
    "verify-opens-both": "VERIFY of one PIN opens the other PIN's key and files as well",
    "verify-sfi-refused": "VERIFY with the PIN named by SFI is answered 6A86",
    "verify-sfi-ignored": "VERIFY with the PIN named by SFI goes to the current EF",
    "second-verify-drops-first": "verifying one PIN drops the status of the other",
    # CHANGE
    "change-ignored": "CHANGE answers 9000 but the old PIN stays",
    "change-keeps-old-valid": "after CHANGE the old PIN is accepted besides the new one",
    "change-unverified": "CHANGE is allowed without a VERIFY before it",
    "change-by-other-pin": "CHANGE is allowed when only the other PIN was verified",
    "change-sets-both": "CHANGE of one PIN sets the other PIN too",
    "change-forgotten-at-power-off": "a changed PIN falls back to the first one at power-off",
    # the signature command
    "sign-without-pin": "both keys sign without their PIN",
    "auth-key-without-pin": "key 0017 signs without its PIN",
    "sign-with-other-key": "0017 computes with the key of 001A and 001A with that of 0017",
    "sign-by-any-pin": "either PIN opens either key, the sign certificate stays shut",
    "sign-consumes-pin": "a signature uses up the status of the PIN",
    "sign-wrong-padding-byte": "one FF of the PKCS#1 padding is FE",
    "sign-block-type-02": "the padded block has type 02 instead of 01",
    "sign-unpadded": "the input is zero-extended instead of padded",
    "sign-truncated": "the last byte of the signature is missing",
    "sign-reversed": "the signature comes least significant byte first",
    "sign-hashes-first": "80 2A 00 hashes its input instead of taking it verbatim",
    "sign-adds-digest-info": "80 2A 00 puts a DigestInfo header before its input",
    "sign-sha256-only": "80 2A 00 refuses inputs that are not 51 bytes long (6700)",
    "sign-overlong-cut": "80 2A 00 cuts an input of more than 245 bytes instead of refusing it",
    "sign-p1-ignored": "80 2A with an undefined P1 signs as with 00 instead of answering 6A86",
    "sign-sfi-refused": "80 2A with the key named by SFI is answered 6A86",
    "sign-sfi-ignored": "80 2A with the key named by SFI takes the current EF",
    # how long a status lasts
    "status-survives-power-off": "the PIN status survives power-off",
    "status-survives-lost-reader": "the PIN status survives the loss of the connection to the reader",
    "status-survives-other-application": "the PIN status survives selecting another application",
    "status-survives-card-manager": "the PIN status survives selecting the card manager",
    "status-falls-on-warm-reset": "the PIN status falls on a warm reset",
    "status-falls-on-ef-select": "the PIN status falls when an EF is selected",
    "status-falls-on-read": "the PIN status falls after one READ BINARY of a guarded EF",
    # who may read what
    "sign-certificate-free": "EF 0001 is readable without the sign PIN",
    "sign-certificate-by-auth-pin": "EF 0001 opens with PIN 0018 instead of 001B",
    "sign-certificate-6985": "EF 0001 without the sign PIN is answered 6985 instead of 6982",
    "sign-certificate-select-guarded": "EF 0001 cannot even be selected without the sign PIN",
    "auth-certificate-guarded": "EF 000A needs PIN 0018",
    "ca-certificate-guarded": "EF 0002 needs PIN 001B",
    "token-info-guarded": "EF 0006 needs PIN 0018",
    "key-readable": "READ BINARY of a key EF gives the private exponent",
    "pin-readable": "READ BINARY of a PIN EF gives the PIN",
    # what the files hold
    "auth-certificate-truncated": "EF 000A ends 16 bytes before the certificate does",
    "auth-certificate-not-by-ca": "the signature in the certificate of 000A is not its CA's",
    "sign-certificate-not-by-ca": "the signature in the certificate of 0001 is not its CA's",
    "certificates-swapped": "000A and 0001 hold each other's certificate",
    "auth-certificate-leading-byte": "a zero byte precedes the certificate in 000A",
    "ca-certificate-garbage": "EF 000B holds FF bytes instead of a certificate",
    "ca-certificates-swapped": "000B and 0002 hold each other's certificate",
    "token-label-nul-padded": "the token label is padded with NUL instead of spaces",
    "token-label-wrong": "the token label is that of the old resident register card",
    "token-info-short": "EF 0006 holds the label only (32 bytes)",
    # READ BINARY
    "read-sfi-ignored": "READ BINARY with an SFI reads the current EF",
    "read-sfi-not-current": "READ BINARY with an SFI does not make that EF current",
    "read-sfi-offset-ignored": "READ BINARY with an SFI always reads from offset 0",
    "read-offset-high-byte-ignored": "READ BINARY ignores the high byte of the offset",
    "read-le-zero-is-255": "READ BINARY with Le=00 gives 255 bytes",
    "read-le-too-large-6282": "READ BINARY beyond the rest answers the rest with 6282",
    "read-le-too-large-6cxx": "READ BINARY beyond the rest answers 6Cxx without data",
    "read-le-too-large-6700": "READ BINARY beyond the rest answers 6700 without data",
    "read-le-too-large-padded": "READ BINARY beyond the rest pads the answer to Le with 00",
    "read-offset-beyond-9000": "READ BINARY beyond the end answers 9000 without data",
    "read-extended-le-cut": "READ BINARY with an extended Le gives at most 256 bytes",
    "read-extended-le-6700": "READ BINARY with an extended Le is answered 6700",
    # SELECT
    "unknown-aid-9000": "SELECT of an unknown AID is answered 9000",
    "unknown-aid-6a86": "SELECT of an unknown AID is answered 6A86 instead of 6A82",
    "unknown-ef-9000": "SELECT of an unknown EF is answered 9000",
    "aid-five-bytes-compared": "SELECT compares the first five bytes of the AID only",
    "aid-trailing-byte-accepted": "SELECT accepts the AID with a further byte behind it",
    "select-0c-gives-fci": "SELECT with P2=0C answers an FCI",
    "select-p1-09-accepted": "SELECT of an EF with P1=09 works",
    "mf-select-leaves-application": "SELECT MF leaves the application instead of doing nothing",
    "mf-select-9000-at-power-up": "SELECT MF before any application is answered 9000, not 6A86",
    "mf-3f00-9000": "SELECT of 3F00 is answered 9000",
    "card-manager-6a82": "SELECT of the card manager is answered 6A82",
    # probes of other cards' drivers, classes and instructions
    "foreign-00ca-9000": "GET DATA of an object which is not there is answered 9000",
    "foreign-00cb-9000": "00 CB, which is not there, is answered 9000",
    "unknown-ins-9000": "an unknown INS is answered 9000",
    "logical-channels-accepted": "CLA 01..03 work like CLA 00 instead of 6881",
    "secure-messaging-ignored": "CLA 0C works like CLA 00 instead of 6987",
    "atr-other": "another ATR, which no source knows for this card",
    "stored-atr-with-ts": "GET DATA 5F51 gives the ATR with its first byte TS",
    # GET CHALLENGE
    "challenge-short": "GET CHALLENGE gives one byte less than Le",
    "challenge-zeros": "GET CHALLENGE gives zeros",
    "challenge-repeats": "GET CHALLENGE gives the same bytes every time",
    "challenge-le-zero-is-8": "GET CHALLENGE with Le=00 gives 8 bytes",
    "challenge-p1p2-ignored": "GET CHALLENGE with P1P2 other than 0000 is answered 9000",
    "challenge-needs-application": "GET CHALLENGE before any SELECT is answered 6985",
}


# --- DER, keys and certificates -------------------------------------------


def read_tlv(data: bytes, at: int = 0) -> tuple[int, int, int]:
    """Reads one DER element: its tag, where its value starts, where it ends."""
    tag, length, start = data[at], data[at + 1], at + 2
    if length & 0x80:
        count = length & 0x7F
        length = int.from_bytes(data[start : start + count])
        start += count
    if start + length > len(data):
        raise ValueError("a DER element is longer than what holds it")
    return tag, start, start + length


def der_children(data: bytes) -> list[tuple[int, bytes]]:
    """The tags and values of the DER elements which follow each other in `data`."""
    children = []
    at = 0
    while at < len(data):
        tag, start, end = read_tlv(data, at)
        children.append((tag, data[start:end]))
        at = end
    return children


def pem_body(pem: str) -> bytes:
    """The bytes of the first PEM object in a text."""
    lines = pem.split("-----BEGIN ", 1)[1].splitlines()[1:]
    return base64.b64decode("".join(lines[: next(i for i, line in enumerate(lines) if line.startswith("-----"))]))


@dataclass(frozen=True)
class RsaKey:
    """The numbers of an RSA private key."""

    modulus: int
    exponent: int
    primes: tuple[int, int]

    @classmethod
    def from_der(cls, der: bytes) -> RsaKey:
        """Reads a PKCS#1 or PKCS#8 private key."""
        fields = der_children(der_children(der)[0][1])
        if fields[1][0] == 0x30:  # PKCS#8: the PKCS#1 key sits in an OCTET STRING
            return cls.from_der(fields[2][1])
        _, modulus, _, exponent, p, q = (int.from_bytes(value) for _, value in fields[:6])
        return cls(modulus, exponent, (p, q))

    def private(self, block: bytes) -> bytes:
        """The private operation on a block as long as the modulus, modulo each prime."""
        number, (p, q) = int.from_bytes(block), self.primes
        by_p, by_q = (pow(number, self.exponent % (prime - 1), prime) for prime in (p, q))
        return (by_q + (by_p - by_q) * pow(q, -1, p) % p * q).to_bytes(MODULUS_BYTES)


@dataclass(frozen=True)
class Credentials:
    """Both key pairs with their certificates and the certificates of their CAs."""

    auth_key: RsaKey
    auth_certificate: bytes
    auth_ca: bytes
    sign_key: RsaKey
    sign_certificate: bytes
    sign_ca: bytes


OPENSSL_CONFIG = """\
[req]
distinguished_name = name
prompt = no
utf8 = yes
[name]
CN = unnamed
[ca]
basicConstraints = critical, CA:TRUE
keyUsage = critical, keyCertSign, cRLSign
subjectKeyIdentifier = hash
[auth]
basicConstraints = CA:FALSE
keyUsage = critical, digitalSignature
[sign]
basicConstraints = CA:FALSE
keyUsage = critical, digitalSignature, nonRepudiation
"""


def openssl(folder: Path, *arguments: str) -> None:
    """Runs the openssl command line in a folder."""
    done = subprocess.run(
        ["openssl", *arguments], cwd=folder, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        raise SystemExit(f"openssl {arguments[0]} failed: {done.stderr.strip()}")


def subject(**parts: str) -> str:
    """A distinguished name as openssl's -subj wants it."""
    escaped = {name: "".join("\\" + c if c in "/+\\" else c for c in value) for name, value in parts.items()}
    return "".join(f"/{name}={value}" for name, value in escaped.items())


def make_credentials(folder: Path, organisation: str) -> None:
    """Makes, for each certificate kind, a CA and one end entity below it."""
    (folder / "openssl.cnf").write_text(OPENSSL_CONFIG, encoding="utf-8")
    new_key = ("-config", "openssl.cnf", "-utf8", "-newkey", "rsa:2048", "-nodes", "-sha256")
    for serial, kind in enumerate(("auth", "sign"), start=1001):
        openssl(
            folder, "req", "-x509", *new_key, "-extensions", "ca", "-days", "3650", "-set_serial", "1",
            "-subj", subject(O=organisation, CN=f"{organisation} {kind} CA"),
            "-keyout", f"{kind}-ca-key.pem", "-out", f"{kind}-ca.pem",
        )  # fmt: skip
        openssl(
            folder, "req", "-new", *new_key, "-subj", subject(CN=f"Plain Holder {kind}"),
            "-keyout", f"{kind}-key.pem", "-out", f"{kind}.csr",
        )  # fmt: skip
        openssl(
            folder, "x509", "-req", "-sha256", "-days", "1825", "-set_serial", str(serial),
            "-extfile", "openssl.cnf", "-extensions", kind, "-in", f"{kind}.csr",
            "-CA", f"{kind}-ca.pem", "-CAkey", f"{kind}-ca-key.pem", "-out", f"{kind}.pem",
        )  # fmt: skip


def load_credentials(folder: Path) -> Credentials:
    """Reads what `make_credentials` left in a folder."""

    def der(name: str) -> bytes:
        return pem_body((folder / f"{name}.pem").read_text(encoding="ascii"))

    return Credentials(
        RsaKey.from_der(der("auth-key")), der("auth"), der("auth-ca"),
        RsaKey.from_der(der("sign-key")), der("sign"), der("sign-ca"),
    )  # fmt: skip


def obtain_credentials(cache: Path | None, organisation: str) -> Credentials:
    """Loads the credentials of an organisation from the cache, made there first if need be."""
    if cache is None:
        with tempfile.TemporaryDirectory(prefix="plain-card-") as folder:
            make_credentials(Path(folder), organisation)
            return load_credentials(Path(folder))
    kept = cache / f"plain-{hashlib.sha256(organisation.encode()).hexdigest()[:12]}"
    if not kept.is_dir():
        cache.mkdir(parents=True, exist_ok=True)
        making = Path(tempfile.mkdtemp(prefix="making-", dir=cache))
        try:
            make_credentials(making, organisation)
            # Cards may start side by side on one cache: the first to finish wins.
            with contextlib.suppress(OSError):
                making.rename(kept)
        finally:
            shutil.rmtree(making, ignore_errors=True)
    return load_credentials(kept)


# --- padding ----------------------------------------------------------------


def pkcs1_type_1(message: bytes) -> bytes:
    """PKCS#1 v1.5 block type 1."""
    return b"\x00\x01" + b"\xff" * (MODULUS_BYTES - 3 - len(message)) + b"\x00" + message


def pss(digest: bytes) -> bytes:
    """EMSA-PSS with SHA-256, MGF1 and a random salt."""
    salt = secrets.token_bytes(SALT_BYTES)
    check = hashlib.sha256(bytes(8) + digest + salt).digest()
    masked_bytes = MODULUS_BYTES - len(check) - 1
    database = bytes(masked_bytes - SALT_BYTES - 1) + b"\x01" + salt
    blocks = (hashlib.sha256(check + i.to_bytes(4)).digest() for i in range(-(-masked_bytes // 32)))
    mask = b"".join(blocks)[:masked_bytes]
    masked = bytes(a ^ b for a, b in zip(database, mask))
    return bytes([masked[0] & 0x7F]) + masked[1:] + check + b"\xbc"


# --- files ------------------------------------------------------------------


class Kind(enum.Enum):
    """What an EF is."""

    TRANSPARENT = enum.auto()
    RECORDS = enum.auto()
    KEY = enum.auto()
    PIN = enum.auto()
    INTERNAL = enum.auto()


@dataclass(eq=False)
class Pin:
    """A PIN with its try counter; both outlive power-off."""

    value: bytes
    maximum: int
    first_value: bytes = b""
    former_value: bytes | None = None
    tries: int = 0

    def __post_init__(self) -> None:
        self.first_value = self.value
        self.tries = self.maximum


@dataclass(eq=False)
class Ef:
    """An elementary file: data, a private key or a PIN."""

    file_id: int
    kind: Kind
    content: bytes = b""
    guard: Pin | None = None
    shut: bool = False
    key: RsaKey | None = None
    pin: Pin | None = None

    @property
    def sfi(self) -> int:
        """The short file identifier."""
        return self.file_id & 0x1F


@dataclass(eq=False)
class Application:
    """A DF named by its AID."""

    aid: bytes
    files: list[Ef]

    def by_id(self, file_id: int) -> Ef | None:
        """The EF with a file identifier."""
        return next((ef for ef in self.files if ef.file_id == file_id), None)

    def by_sfi(self, sfi: int) -> Ef | None:
        """The EF with a short file identifier."""
        return next((ef for ef in self.files if ef.sfi == sfi), None)


# --- commands ---------------------------------------------------------------


class Refusal(Exception):
    """A command ends with this status word and without data."""

    def __init__(self, status: int) -> None:
        super().__init__(f"{status:04X}")
        self.status = status


@dataclass(frozen=True)
class Command:
    """A command APDU; `le` is the number of bytes asked for, None without Le."""

    cla: int
    ins: int
    p1: int
    p2: int
    data: bytes
    le: int | None
    extended: bool

    @classmethod
    def parse(cls, raw: bytes) -> Command:
        """Reads the seven forms a command APDU can have."""
        if len(raw) < 4:
            raise Refusal(0x6700)
        body = raw[4:]
        data, le, extended = b"", None, False
        if not body:
            pass
        elif len(body) == 1:
            le = body[0] or 256
        elif body[0]:
            end = 1 + body[0]
            data = body[1:end]
            if len(body) == end + 1:
                le = body[end] or 256
            elif len(body) != end:
                raise Refusal(0x6700)
        elif len(body) == 3:
            le, extended = int.from_bytes(body[1:]) or 65536, True
        else:
            extended = True
            end = 3 + int.from_bytes(body[1:3])
            data = body[3:end]
            if end == 3 or len(body) not in (end, end + 2):
                raise Refusal(0x6700)
            if len(body) == end + 2:
                le = int.from_bytes(body[end:]) or 65536
        return cls(*raw[:4], data, le, extended)


# --- the card ---------------------------------------------------------------


class Card:
    """The card: what it keeps for ever, and what it forgets at power-off."""

    def __init__(
        self, credentials: Credentials, auth_pin: str, sign_pin: str, organisation: str, mutant: str | None = None
    ) -> None:
        if mutant is not None and mutant not in MUTANTS:
            raise ValueError(f"no mutant is called {mutant}")
        self.mutant = mutant
        auth = Pin(auth_pin.encode(), 5 if self.breaks("auth-tries-five") else AUTH_TRIES)
        sign = Pin(sign_pin.encode(), 3 if self.breaks("sign-tries-three") else SIGN_TRIES)
        register = Pin(auth_pin.encode(), AUTH_TRIES)
        self.sign_pin = sign
        self.pins = [auth, sign, register]
        self.fixed_challenge = secrets.token_bytes(256)
        self.manager_files = Application(CARD_MANAGER_AID, [Ef(0x001E, Kind.INTERNAL)])
        self.jpki = Application(JPKI_AID, self._jpki_files(credentials, auth, sign, organisation))
        self.register = Application(
            REGISTER_AID,
            [
                Ef(0x0002, Kind.RECORDS, b"\x01\x10" + b"PLAINKEYREF00001"),
                Ef(0x001C, Kind.PIN, pin=register),
            ],
        )
        self.application: Application | None = None
        self.status_owner: Application | None = None
        self.current_ef: Ef | None = None
        self.verified: set[Pin] = set()

    def breaks(self, mutant: str) -> bool:
        """Whether the card is to break this one rule."""
        return self.mutant == mutant

    def _jpki_files(self, credentials: Credentials, auth: Pin, sign: Pin, organisation: str) -> list[Ef]:
        auth_certificate, sign_certificate = credentials.auth_certificate, credentials.sign_certificate
        auth_ca, sign_ca = credentials.auth_ca, credentials.sign_ca
        auth_key, sign_key = credentials.auth_key, credentials.sign_key
        if self.breaks("auth-certificate-truncated"):
            auth_certificate = auth_certificate[:-16]
        if self.breaks("auth-certificate-not-by-ca"):
            auth_certificate = auth_certificate[:-1] + bytes([auth_certificate[-1] ^ 1])
        if self.breaks("sign-certificate-not-by-ca"):
            sign_certificate = sign_certificate[:-1] + bytes([sign_certificate[-1] ^ 1])
        if self.breaks("certificates-swapped"):
            auth_certificate, sign_certificate = sign_certificate, auth_certificate
        if self.breaks("auth-certificate-leading-byte"):
            auth_certificate = b"\x00" + auth_certificate
        if self.breaks("ca-certificate-garbage"):
            auth_ca = b"\xff" * len(auth_ca)
        if self.breaks("ca-certificates-swapped"):
            auth_ca, sign_ca = sign_ca, auth_ca
        if self.breaks("sign-with-other-key"):
            auth_key, sign_key = sign_key, auth_key

        certificate_guard: Pin | None = sign
        if self.breaks("sign-certificate-free"):
            certificate_guard = None
        if self.breaks("sign-certificate-by-auth-pin"):
            certificate_guard = auth

        def filled(content: bytes) -> bytes:
            return content.ljust(FILLED_SIZE, b"\xff")

        return [
            Ef(0x0001, Kind.TRANSPARENT, filled(sign_certificate), guard=certificate_guard),
            Ef(0x0002, Kind.TRANSPARENT, filled(sign_ca),
               guard=sign if self.breaks("ca-certificate-guarded") else None),
            Ef(0x0005, Kind.TRANSPARENT, shut=True),
            Ef(0x0006, Kind.TRANSPARENT, self._token_info(organisation),
               guard=auth if self.breaks("token-info-guarded") else None),
            Ef(0x0008, Kind.TRANSPARENT, bytes.fromhex("8F8F00")),
            Ef(0x0009, Kind.TRANSPARENT, shut=True),
            Ef(0x000A, Kind.TRANSPARENT, auth_certificate,
               guard=auth if self.breaks("auth-certificate-guarded") else None),
            Ef(0x000B, Kind.TRANSPARENT, filled(auth_ca)),
            Ef(0x0010, Kind.INTERNAL),
            Ef(0x0016, Kind.INTERNAL),
            Ef(0x0017, Kind.KEY, key=auth_key, guard=auth),
            Ef(0x0018, Kind.PIN, pin=auth),
            Ef(0x0019, Kind.INTERNAL),
            Ef(0x001A, Kind.KEY, key=sign_key, guard=sign),
            Ef(0x001B, Kind.PIN, pin=sign),
            Ef(0x001C, Kind.INTERNAL),
            Ef(0x001E, Kind.INTERNAL),
        ]  # fmt: skip

    def _token_info(self, organisation: str) -> bytes:
        label = b"JPKIAPICCTOKEN" if self.breaks("token-label-wrong") else b"JPKIAPICCTOKEN2"
        label = label.ljust(32, b"\x00" if self.breaks("token-label-nul-padded") else b" ")
        if self.breaks("token-info-short"):
            return label
        manufacturer = organisation.encode("ascii", "replace")[:32].ljust(32)
        sessions_and_pins = (0x40D, 1, 0, 1, 0, 16, 6)
        memory = b"\xff" * 16
        return (
            label + manufacturer + b"E16R01NJ".ljust(16) + b"PLAIN00000000001"
            + b"".join(number.to_bytes(4) for number in sessions_and_pins) + memory
            + b"03" + b"01" + b"9" * 16
        )  # fmt: skip

    # -- power

    @property
    def atr(self) -> bytes:
        """The answer to reset."""
        return OTHER_ATR if self.breaks("atr-other") else ATR

    def power_off(self) -> None:
        """Forgets the selection and every PIN status."""
        self._deselect()
        if not self.breaks("status-survives-power-off"):
            self._drop_statuses()
        for pin in self.pins:
            if self.breaks("counter-refilled-by-power-off"):
                pin.tries = pin.maximum
            if self.breaks("change-forgotten-at-power-off"):
                pin.value = pin.first_value

    def lose_reader(self) -> None:
        """Takes the loss of the reader for what it is: power-off."""
        if self.breaks("status-survives-lost-reader"):
            self._deselect()
        else:
            self.power_off()

    def warm_reset(self) -> None:
        """Forgets the selection, keeps the PIN statuses."""
        self._deselect()
        if self.breaks("status-falls-on-warm-reset"):
            self._drop_statuses()

    def _deselect(self) -> None:
        self.application = None
        self.current_ef = None

    def _drop_statuses(self) -> None:
        self.verified.clear()
        self.status_owner = None

    # -- commands

    def transmit(self, raw: bytes) -> bytes:
        """Answers a command APDU with a response APDU."""
        try:
            data, status = self._dispatch(Command.parse(raw))
        except Refusal as refusal:
            data, status = b"", refusal.status
        return data + status.to_bytes(2)

    def _dispatch(self, command: Command) -> tuple[bytes, int]:
        cla = self._command_class(command.cla)
        handlers: dict[tuple[int, int], Callable[[Command], tuple[bytes, int]]] = {
            (0x00, 0x20): self._verify,
            (0x00, 0x24): self._change,
            (0x00, 0x82): self._issuer_only,
            (0x00, 0x84): self._get_challenge,
            (0x00, 0x88): self._internal_authenticate,
            (0x00, 0xA4): self._select,
            (0x00, 0xB0): self._read_binary,
            (0x00, 0xB2): self._read_record,
            (0x00, 0xCA): self._get_data,
            (0x80, 0x06): self._issuer_only,
            (0x80, 0x2A): self._sign,
            (0x80, 0x32): self._change_key,
            (0x80, 0x50): self._issuer_only,
            (0x80, 0x52): self._issuer_only,
            (0x80, 0x54): self._issuer_only,
            (0x80, 0x8A): self._issuer_only,
            (0x80, 0xA2): self._terminal_authentication,
            (0x80, 0xAE): self._issuer_only,
            (0x80, 0xFC): self._last_command_indicator,
        }
        handler = handlers.get((cla, command.ins))
        if handler is None:
            if command.ins == 0xCB and self.breaks("foreign-00cb-9000"):
                return b"", 0x9000
            if self.breaks("unknown-ins-9000"):
                return b"", 0x9000
            raise Refusal(0x6D00)
        return handler(command)

    def _command_class(self, cla: int) -> int:
        if cla in (0x00, 0x80):
            return cla
        if self.breaks("logical-channels-accepted") and cla in (0x01, 0x02, 0x03):
            return 0x00
        if self.breaks("secure-messaging-ignored") and cla == 0x0C:
            return 0x00
        if cla == 0x08:
            raise Refusal(0x69FC)
        if cla == 0x0C:
            raise Refusal(0x6987)
        basic_channel = cla & 0x70 == 0 and cla & 0x03 != 0
        further_channel = cla & 0xC0 == 0x40
        raise Refusal(0x6881 if basic_channel or further_channel else 0x6E00)

    def _ef_by_reference(self, p2: int) -> Ef:
        """The EF that P2 means: 80 the current one, 80|sfi a named one."""
        if p2 & 0xE0 != 0x80 or p2 == 0x9F:
            raise Refusal(0x6A86)
        if p2 == 0x80:
            if self.current_ef is None:
                raise Refusal(0x6986)
            return self.current_ef
        ef = (self.application or self.manager_files).by_sfi(p2 & 0x1F)
        if ef is None:
            raise Refusal(0x6A82)
        return ef

    def _opened(self, guard: Pin | None) -> bool:
        if guard is None or guard in self.verified:
            return True
        return self.breaks("verify-opens-both") and bool(self.verified)

    # -- SELECT

    def _select(self, command: Command) -> tuple[bytes, int]:
        if command.data == b"\x3f\x00":
            if self.breaks("mf-3f00-9000"):
                return b"", 0x9000
            raise Refusal(0x6A82)
        if command.p2 not in (0x00, 0x0C):
            raise Refusal(0x6A86)
        if command.p1 == 0x00 and not command.data:
            return self._select_mf()
        if command.p1 == 0x04:
            return self._select_application(command)
        if command.p1 == 0x02 or (command.p1 == 0x09 and self.breaks("select-p1-09-accepted")):
            return self._select_ef(command)
        raise Refusal(0x6A86)

    def _select_mf(self) -> tuple[bytes, int]:
        if self.application is None:
            if self.breaks("mf-select-9000-at-power-up"):
                return b"", 0x9000
            raise Refusal(0x6A86)
        if self.breaks("mf-select-leaves-application"):
            self._deselect()
            self._drop_statuses()
        return b"", 0x9000

    def _select_application(self, command: Command) -> tuple[bytes, int]:
        aid = command.data
        if aid == CARD_MANAGER_AID:
            if self.breaks("card-manager-6a82"):
                raise Refusal(0x6A82)
            self._deselect()
            if not self.breaks("status-survives-card-manager"):
                self._drop_statuses()
            return self._control_information(command, 0x84, aid)
        chosen = next((each for each in (self.jpki, self.register) if self._named(each, aid)), None)
        if chosen is None:
            if self.breaks("unknown-aid-9000"):
                return b"", 0x9000
            raise Refusal(0x6A86 if self.breaks("unknown-aid-6a86") else 0x6A82)
        already_current = chosen is self.application
        left_another = chosen is not self.status_owner
        if already_current or (left_another and not self.breaks("status-survives-other-application")):
            self._drop_statuses()
        if self.breaks("counter-refilled-by-select"):
            for pin in self.pins:
                pin.tries = pin.maximum
        self.application = self.status_owner = chosen
        self.current_ef = None
        return self._control_information(command, 0x84, chosen.aid)

    def _named(self, application: Application, aid: bytes) -> bool:
        if self.breaks("aid-five-bytes-compared"):
            return len(aid) >= 5 and aid[:5] == application.aid[:5]
        if self.breaks("aid-trailing-byte-accepted") and aid[:-1] == application.aid:
            return True
        return aid == application.aid

    def _select_ef(self, command: Command) -> tuple[bytes, int]:
        if len(command.data) != 2:
            raise Refusal(0x6700)
        ef = (self.application or self.manager_files).by_id(int.from_bytes(command.data))
        if ef is None:
            if self.breaks("unknown-ef-9000"):
                return b"", 0x9000
            raise Refusal(0x6A82)
        if self.breaks("sign-certificate-select-guarded") and ef.file_id == 0x0001 and not self._opened(ef.guard):
            raise Refusal(0x6982)
        if self.breaks("status-falls-on-ef-select"):
            self.verified.clear()
        self.current_ef = ef
        return self._control_information(command, 0x83, command.data)

    def _control_information(self, command: Command, tag: int, name: bytes) -> tuple[bytes, int]:
        information = bytes([0x6F, len(name) + 2, tag, len(name)]) + name
        if self.breaks("select-0c-gives-fci") and command.p2 == 0x0C:
            return information, 0x9000
        if command.p2 == 0x0C or command.le is None:
            return b"", 0x9000
        return information[: command.le], 0x9000

    # -- reading

    def _read_binary(self, command: Command) -> tuple[bytes, int]:
        if command.data or command.le is None:
            raise Refusal(0x6700)
        if command.extended and self.breaks("read-extended-le-6700"):
            raise Refusal(0x6700)
        ef, offset = self._place_to_read(command)
        content = self._readable_content(ef)
        le = command.le
        if command.extended and self.breaks("read-extended-le-cut"):
            le = min(le, 256)
        if le == 256 and not command.extended and self.breaks("read-le-zero-is-255"):
            le = 255
        if offset > len(content):
            if self.breaks("read-offset-beyond-9000"):
                return b"", 0x9000
            raise Refusal(0x6B00)
        if offset == len(content):
            raise Refusal(0x6282)
        rest = content[offset:]
        if le > len(rest):
            if self.breaks("read-le-too-large-6282"):
                return rest, 0x6282
            if self.breaks("read-le-too-large-6cxx"):
                raise Refusal(0x6C00 | len(rest) & 0xFF)
            if self.breaks("read-le-too-large-6700"):
                raise Refusal(0x6700)
            if self.breaks("read-le-too-large-padded"):
                return rest.ljust(min(le, 65533), b"\x00"), 0x9000
        return rest[:le], 0x9000

    def _place_to_read(self, command: Command) -> tuple[Ef, int]:
        if command.p1 & 0x80:
            ef = self._ef_by_reference(command.p1) if command.p1 != 0x80 else None
            if self.breaks("read-sfi-ignored"):
                ef = self.current_ef
            elif ef is not None and not self.breaks("read-sfi-not-current"):
                self.current_ef = ef
            if ef is None:
                raise Refusal(0x6A86)
            return ef, 0 if self.breaks("read-sfi-offset-ignored") else command.p2
        if self.current_ef is None:
            raise Refusal(0x6986)
        high = 0 if self.breaks("read-offset-high-byte-ignored") else command.p1
        return self.current_ef, high << 8 | command.p2

    def _readable_content(self, ef: Ef) -> bytes:
        if ef.key is not None and self.breaks("key-readable"):
            return ef.key.exponent.to_bytes(MODULUS_BYTES)
        if ef.pin is not None and self.breaks("pin-readable"):
            return ef.pin.value
        if ef.kind is not Kind.TRANSPARENT:
            raise Refusal(0x6981)
        if ef.shut or not self._opened(ef.guard):
            raise Refusal(0x6985 if self.breaks("sign-certificate-6985") and ef.file_id == 0x0001 else 0x6982)
        if ef.guard is not None and self.breaks("status-falls-on-read"):
            self.verified.discard(ef.guard)
        return ef.content

    def _read_record(self, command: Command) -> tuple[bytes, int]:
        if command.data or command.le is None:
            raise Refusal(0x6700)
        if command.p2 & 0x07 != 0x04:
            raise Refusal(0x6A86)
        ef = self._ef_by_reference(0x80 | command.p2 >> 3)
        if ef.kind is not Kind.RECORDS:
            raise Refusal(0x6981)
        if command.p1 != 1:
            raise Refusal(0x6A83)
        return ef.content[: command.le], 0x9000

    def _get_data(self, command: Command) -> tuple[bytes, int]:
        stored = self.atr if self.breaks("stored-atr-with-ts") else self.atr[1:]
        if (command.p1, command.p2) != (0x5F, 0x51) or self.application is None:
            if self.breaks("foreign-00ca-9000"):
                return bytes(min(command.le or 0, 256)), 0x9000
            raise Refusal(0x6A88)
        if command.data or command.le is None or command.le < len(stored):
            raise Refusal(0x6700)
        return stored, 0x9000

    def _get_challenge(self, command: Command) -> tuple[bytes, int]:
        if (command.p1, command.p2) != (0, 0) and not self.breaks("challenge-p1p2-ignored"):
            raise Refusal(0x6A86)
        if command.data or command.le is None:
            raise Refusal(0x6700)
        if command.extended or (self.application is None and self.breaks("challenge-needs-application")):
            raise Refusal(0x6985)
        length = command.le
        if length == 256 and self.breaks("challenge-le-zero-is-8"):
            length = 8
        if self.breaks("challenge-short"):
            length -= 1
        if self.breaks("challenge-zeros"):
            return bytes(length), 0x9000
        if self.breaks("challenge-repeats"):
            return self.fixed_challenge[:length], 0x9000
        return secrets.token_bytes(length), 0x9000

    # -- PINs

    def _pin_by_reference(self, p2: int) -> Pin:
        pin = self._ef_by_reference(p2).pin
        if pin is None:
            raise Refusal(0x6981)
        return pin

    def _verify(self, command: Command) -> tuple[bytes, int]:
        if command.p1 != 0:
            raise Refusal(0x6A86)
        reference = command.p2
        if reference > 0x80:
            if self.breaks("verify-sfi-refused"):
                raise Refusal(0x6A86)
            if self.breaks("verify-sfi-ignored"):
                reference = 0x80
        pin = self._pin_by_reference(reference)
        if command.le is not None:
            raise Refusal(0x6700)
        if not command.data:
            return self._empty_verify(pin)
        if pin.tries == 0 and not self.breaks("blocked-opens"):
            raise Refusal(self._blocked_status())
        if len(command.data) not in PIN_LENGTHS:
            raise Refusal(0x6700)
        if not self._matches(pin, command.data):
            return self._wrong_pin(pin)
        if not self.breaks("counter-not-refilled"):
            pin.tries = pin.maximum
        if self.breaks("counter-refilled-short"):
            pin.tries = pin.maximum - 1
        if self.breaks("counter-refilled-to-five"):
            pin.tries = 5
        if self.breaks("second-verify-drops-first"):
            self.verified.clear()
        self.verified.add(pin)
        return b"", 0x9000

    def _empty_verify(self, pin: Pin) -> tuple[bytes, int]:
        if self.breaks("empty-verify-spends"):
            pin.tries = max(pin.tries - 1, 0)
        if self.breaks("empty-verify-9000") and pin in self.verified:
            return b"", 0x9000
        if self.breaks("empty-verify-drops-status"):
            self.verified.discard(pin)
        if self.breaks("empty-verify-opens"):
            self.verified.add(pin)
        if self.breaks("empty-verify-blocked-6984") and pin.tries == 0:
            raise Refusal(0x6984)
        raise Refusal(0x63C0 | pin.tries)

    def _blocked_status(self) -> int:
        if self.breaks("blocked-6983"):
            return 0x6983
        if self.breaks("blocked-6985"):
            return 0x6985
        return 0x63C0 if self.breaks("blocked-63c0") else 0x6984

    def _matches(self, pin: Pin, value: bytes) -> bool:
        if self.breaks("any-pin-accepted"):
            return True
        if self.breaks("pin-compared-to-four"):
            return value[:4] == pin.value[:4]
        if self.breaks("sign-password-case-folded") and pin is self.sign_pin:
            return value.upper() == pin.value
        if self.breaks("change-keeps-old-valid") and value == pin.former_value:
            return True
        return value == pin.value

    def _wrong_pin(self, pin: Pin) -> tuple[bytes, int]:
        self.verified.discard(pin)
        if pin.tries == 0:
            raise Refusal(0x6984)
        before = pin.tries
        if self.breaks("counter-only-announced"):
            raise Refusal(0x63C0 | before - 1)
        if not self.breaks("counter-not-spent"):
            pin.tries -= 1
        if self.breaks("counter-shared"):
            for other in self.pins:
                if other is not pin and other.tries:
                    other.tries -= 1
        if self.breaks("wrong-pin-6300"):
            raise Refusal(0x6300)
        if self.breaks("counter-announced-late"):
            raise Refusal(0x63C0 | before)
        if self.breaks("exhausting-try-6984") and pin.tries == 0:
            raise Refusal(0x6984)
        raise Refusal(0x63C0 | pin.tries)

    def _change(self, command: Command) -> tuple[bytes, int]:
        if command.p1 != 1:
            raise Refusal(0x6A86)
        return self._set_pin(self._pin_by_reference(command.p2), command)

    def _change_key(self, command: Command) -> tuple[bytes, int]:
        if self.application is not self.register:
            return self._issuer_only(command)
        if command.p1 != 0:
            raise Refusal(0x6A86)
        return self._set_pin(self._pin_by_reference(command.p2), command)

    def _set_pin(self, pin: Pin, command: Command) -> tuple[bytes, int]:
        allowed = (
            pin in self.verified
            or self.breaks("change-unverified")
            or (self.breaks("change-by-other-pin") and bool(self.verified))
        )
        if not allowed:
            raise Refusal(0x6982)
        if len(command.data) not in PIN_LENGTHS or command.le is not None:
            raise Refusal(0x6700)
        if self.breaks("change-ignored"):
            return b"", 0x9000
        for changed in self.pins if self.breaks("change-sets-both") else [pin]:
            changed.former_value, changed.value = changed.value, command.data
        return b"", 0x9000

    # -- keys

    def _sign(self, command: Command) -> tuple[bytes, int]:
        mode = command.p1
        if mode > 5:
            if not self.breaks("sign-p1-ignored"):
                raise Refusal(0x6A86)
            mode = 0
        reference = command.p2
        if reference > 0x80:
            if self.breaks("sign-sfi-refused"):
                raise Refusal(0x6A86)
            if self.breaks("sign-sfi-ignored"):
                reference = 0x80
        ef = self._ef_by_reference(reference)
        if ef.key is None:
            raise Refusal(0x6981)
        if not self._may_sign(ef):
            raise Refusal(0x6982)
        if command.le is None or command.le < MODULUS_BYTES:
            raise Refusal(0x6700)
        signature = ef.key.private(self._block_to_sign(mode, command.data))
        if ef.guard is not None and self.breaks("sign-consumes-pin"):
            self.verified.discard(ef.guard)
        if self.breaks("sign-truncated"):
            signature = signature[:-1]
        if self.breaks("sign-reversed"):
            signature = signature[::-1]
        return signature, 0x9000

    def _may_sign(self, ef: Ef) -> bool:
        return (
            self._opened(ef.guard)
            or self.breaks("sign-without-pin")
            or (self.breaks("auth-key-without-pin") and ef.file_id == 0x0017)
            or (self.breaks("sign-by-any-pin") and bool(self.verified))
        )

    def _block_to_sign(self, mode: int, data: bytes) -> bytes:
        if mode == 0 and len(data) > LONGEST_SIGN_INPUT and self.breaks("sign-overlong-cut"):
            data = data[:LONGEST_SIGN_INPUT]
        if mode == 0 and len(data) != 51 and self.breaks("sign-sha256-only"):
            raise Refusal(0x6700)
        lengths = {0: range(1, LONGEST_SIGN_INPUT + 1), 2: range(32, 33), 4: range(32, 33)}
        if len(data) not in lengths.get(mode, range(1, 256)):
            raise Refusal(0x6985)
        digest = data if mode in (2, 4) else hashlib.sha256(data).digest()
        if mode in (4, 5):
            return pss(digest)
        if mode == 0:
            return self._padded_verbatim(data, digest)
        return pkcs1_type_1(digest if mode == 1 else SHA256_DIGEST_INFO + digest)

    def _padded_verbatim(self, data: bytes, digest: bytes) -> bytes:
        if self.breaks("sign-hashes-first"):
            return pkcs1_type_1(digest)
        if self.breaks("sign-adds-digest-info"):
            return pkcs1_type_1((SHA256_DIGEST_INFO + data)[:LONGEST_SIGN_INPUT])
        if self.breaks("sign-unpadded"):
            return data.rjust(MODULUS_BYTES, b"\x00")
        block = pkcs1_type_1(data)
        if self.breaks("sign-wrong-padding-byte"):
            return block[:5] + b"\xfe" + block[6:]
        if self.breaks("sign-block-type-02"):
            return b"\x00\x02" + block[2:]
        return block

    def _internal_authenticate(self, command: Command) -> tuple[bytes, int]:
        if command.p1 != 0:
            raise Refusal(0x6A86)
        raise Refusal(0x6982 if self._ef_by_reference(command.p2).kind is Kind.KEY else 0x6985)

    def _terminal_authentication(self, command: Command) -> tuple[bytes, int]:
        known = (command.p1, command.p2) in ((0x06, 0xC1), (0x00, 0xC1))
        raise Refusal(0x6982 if known else 0x6A86)

    def _issuer_only(self, _command: Command) -> tuple[bytes, int]:
        raise Refusal(0x6982)

    def _last_command_indicator(self, _command: Command) -> tuple[bytes, int]:
        raise Refusal(0x6700)


# --- vpcd -------------------------------------------------------------------

POWER_OFF, POWER_ON, RESET, GET_ATR = 0x00, 0x01, 0x02, 0x04
FIRST_PAUSE, LONGEST_PAUSE = 0.05, 1.0


def acknowledge_at_once(link: socket.socket) -> None:
    """Asks for an immediate acknowledgement; the option wears off and must be set again."""
    option = getattr(socket, "TCP_QUICKACK", None)
    if option is not None:
        with contextlib.suppress(OSError):
            link.setsockopt(socket.IPPROTO_TCP, option, 1)


def receive(link: socket.socket, count: int) -> bytes | None:
    """Exactly `count` bytes, or None when the reader is gone."""
    received = b""
    while len(received) < count:
        part = link.recv(count - len(received))
        if not part:
            return None
        received += part
    return received


def requests(link: socket.socket) -> Iterator[bytes]:
    """The bodies of the frames that come from the reader."""
    while True:
        acknowledge_at_once(link)
        header = receive(link, 2)
        if header is None:
            return
        acknowledge_at_once(link)
        body = receive(link, int.from_bytes(header))
        if body is None:
            return
        yield body


def answer(card: Card, request: bytes) -> bytes | None:
    """What goes back to the reader for one frame, None for nothing."""
    if len(request) > 1:
        return card.transmit(request)
    if request == bytes([GET_ATR]):
        return card.atr
    if request == bytes([POWER_OFF]):
        card.power_off()
    elif request == bytes([RESET]):
        card.warm_reset()
    elif request != bytes([POWER_ON]):
        print(f"ignored: control frame {request.hex() or 'without body'}", file=sys.stderr, flush=True)
    return None


def serve(card: Card, link: socket.socket) -> bool:
    """Plays the card on one connection until the reader is gone; whether it said anything."""
    heard = False
    with link, contextlib.suppress(OSError):
        link.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for request in requests(link):
            heard = True
            response = answer(card, request)
            if response is not None:
                link.sendall(len(response).to_bytes(2) + response)
    card.lose_reader()
    return heard


def connect_for_ever(card: Card, address: tuple[str, int]) -> None:
    """Connects to the reader, again and again."""
    pause = FIRST_PAUSE
    while True:
        heard = False
        with contextlib.suppress(OSError):
            link = socket.create_connection(address, timeout=5)
            link.settimeout(None)
            # While nobody listens on a port of this machine, TCP may connect it with itself.
            if link.getsockname() == link.getpeername():
                link.close()
            else:
                heard = serve(card, link)
        pause = FIRST_PAUSE if heard else min(pause * 2, LONGEST_PAUSE)
        time.sleep(pause)


def listen_for_ever(card: Card, address: tuple[str, int]) -> None:
    """Lets readers connect, one after the other."""
    with socket.create_server(address, backlog=1) as listener:
        print(f"listening {listener.getsockname()[1]}", flush=True)
        while True:
            link, _ = listener.accept()
            serve(card, link)


# --- command line -----------------------------------------------------------


def host_and_port(text: str) -> tuple[str, int]:
    """Reads HOST:PORT."""
    host, colon, port = text.rpartition(":")
    if not colon or not port.isdecimal() or int(port) > 65535:
        raise argparse.ArgumentTypeError(f"{text!r} is not HOST:PORT")
    return host or "127.0.0.1", int(port)


def arguments() -> argparse.ArgumentParser:
    """The command line."""
    parser = argparse.ArgumentParser(description="A plain virtual My Number card (JPKI application) for vpcd.")
    role = parser.add_mutually_exclusive_group()
    role.add_argument("--connect", type=host_and_port, metavar="HOST:PORT", help="connect to a reader")
    role.add_argument("--listen", type=host_and_port, metavar="HOST:PORT", help="let a reader connect, 0 picks a port")
    role.add_argument("--list-mutants", action="store_true", help="print the mutants and what each breaks")
    parser.add_argument("--pins", nargs=2, metavar=("AUTH", "SIGN"), default=["9876", "XYZ789"])
    parser.add_argument("--organisation", metavar="NAME", default="Somebody Else")
    parser.add_argument("--mutant", metavar="NAME", default="none", help="break one rule (default: none)")
    parser.add_argument("--keys", type=Path, metavar="DIR", help="keep keys and certificates in this folder")
    return parser


def leave(_signal: int, _frame: object) -> None:
    """Ends the card."""
    raise SystemExit(0)


def main() -> None:
    """Plays the card until it is told to stop."""
    parser = arguments()
    options = parser.parse_args()
    if options.list_mutants:
        for name, rule in MUTANTS.items():
            print(f"{name}\t{rule}")
        return
    if options.connect is None and options.listen is None:
        parser.error("one of --connect, --listen and --list-mutants is needed")
    mutant = None if options.mutant == "none" else options.mutant
    if mutant is not None and mutant not in MUTANTS:
        parser.error(f"no mutant is called {mutant}; see --list-mutants")
    if any(len(pin.encode()) not in PIN_LENGTHS for pin in options.pins):
        parser.error("a PIN has 4 to 16 bytes")
    for ending in (signal.SIGTERM, signal.SIGINT):
        signal.signal(ending, leave)
    credentials = obtain_credentials(options.keys, options.organisation)
    card = Card(credentials, *options.pins, options.organisation, mutant)
    if options.connect is not None:
        connect_for_ever(card, options.connect)
    else:
        listen_for_ever(card, options.listen)


if __name__ == "__main__":
    main()
