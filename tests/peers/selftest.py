#!/usr/bin/env python3
"""Checks the plain card: the right one keeps every rule, each mutant breaks the rule it names."""

from __future__ import annotations

import hashlib
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
import unittest
from collections.abc import Callable
from pathlib import Path

import plain_card
from plain_card import MUTANTS, Card, Credentials, der_children, pkcs1_type_1, read_tlv

PROGRAM = Path(__file__).with_name("plain_card.py")
ORGANISATION = "Somebody Else"
PUBLIC_EXPONENT = 65537
JPKI = "00A4040C0AD392F000260100000001"
REGISTER = "00A4040C0AD3921000310001010401"
MANAGER = "00A4040C07A0000001510000"
AUTH = "9876".encode().hex()
SIGN = "XYZ789".encode().hex()
DIGEST_INFO = plain_card.SHA256_DIGEST_INFO + hashlib.sha256(b"to be signed").digest()
SIGN_COMMAND = "802A008033" + DIGEST_INFO.hex() + "00"


def signed_block(certificate: bytes, signature: bytes) -> bytes:
    """What the public key in a certificate makes of a signature."""
    to_be_signed = der_children(der_children(certificate)[0][1])[0][1]
    public_key = der_children(to_be_signed)[6][1]
    key = der_children(der_children(public_key)[1][1][1:])[0][1]
    modulus, exponent = (int.from_bytes(number) for _, number in der_children(key))
    assert exponent == PUBLIC_EXPONENT
    return pow(int.from_bytes(signature), exponent, modulus).to_bytes(256)


def issued_by(certificate: bytes, authority: bytes) -> bool:
    """Whether the key of one certificate signed the other."""
    _, start, end = read_tlv(certificate)
    _, _, end_of_signed = read_tlv(certificate, start)
    digest = hashlib.sha256(certificate[start:end_of_signed]).digest()
    signature = der_children(certificate[start:end])[2][1][1:]
    return signed_block(authority, signature) == pkcs1_type_1(plain_card.SHA256_DIGEST_INFO + digest)


class Tour:
    """Walks through the rules on one card after the other and notes which ones do not hold."""

    def __init__(self, make_card: Callable[[], Card], credentials: Credentials) -> None:
        self.make_card = make_card
        self.credentials = credentials
        self.card = make_card()
        self.broken: list[str] = []

    def fresh(self, *commands: str) -> None:
        """Takes a new card and sends it some commands, whatever it answers."""
        self.card = self.make_card()
        self.send(*commands)

    def send(self, *commands: str) -> bytes:
        """Sends commands and gives the last answer."""
        response = b""
        for command in commands:
            response = self.card.transmit(bytes.fromhex(command))
        return response

    def expect(self, rule: str, command: str, status: str, data: bytes | None = b"") -> bytes:
        """Sends a command whose answer is a rule; `data` None leaves the data open."""
        response = self.send(command)
        holds = response[-2:].hex() == status.lower() and data in (None, response[:-2])
        self.hold(rule, holds)
        return response[:-2]

    def hold(self, rule: str, holds: bool) -> None:
        """Notes a rule which does not hold."""
        if not holds:
            self.broken.append(rule)

    def walk(self) -> list[str]:
        """The rules that do not hold."""
        for leg in (
            self.counters, self.both_counters, self.blocking, self.empty_verify, self.values, self.changing,
            self.signing, self.guards_of_keys, self.lifetimes, self.guards_of_files, self.contents,
            self.reading, self.selecting, self.classes, self.challenges,
        ):  # fmt: skip
            leg()
        return self.broken

    # -- PINs

    def counters(self) -> None:
        self.fresh(JPKI, "00A4020C020018")
        self.expect("auth tries", "00200080", "63C3")
        self.expect("wrong PIN", "0020008004" + b"0000".hex(), "63C2")
        self.expect("wrong PIN is counted", "00200080", "63C2")
        self.expect("right PIN", "0020008004" + AUTH, "9000")
        self.expect("auth refill", "00200080", "63C3")
        self.fresh(JPKI, "00A4020C02001B")
        self.expect("sign tries", "00200080", "63C5")
        self.expect("wrong sign PIN", "0020008006" + b"AAAAA0".hex(), "63C4")
        self.expect("right sign PIN", "0020008006" + SIGN, "9000")
        self.expect("sign refill", "00200080", "63C5")

    def both_counters(self) -> None:
        self.fresh(JPKI, "00A4020C020018", "0020008004" + b"0000".hex(), "00A4020C02001B")
        self.expect("counters are apart", "00200080", "63C5")
        self.fresh(JPKI, "00A4020C020018", "0020008004" + b"0000".hex())
        self.card.power_off()
        self.send(JPKI, "00A4020C020018")
        self.expect("power-off does not refill", "00200080", "63C2")
        self.fresh(JPKI, "00A4020C020018", "0020008004" + b"0000".hex(), MANAGER, JPKI, "00A4020C020018")
        self.expect("select does not refill", "00200080", "63C2")

    def blocking(self) -> None:
        wrong = "0020008004" + b"0000".hex()
        self.fresh(JPKI, "00A4020C020018", wrong, wrong)
        self.expect("exhausting try", wrong, "63C0")
        self.expect("blocked, right value", "0020008004" + AUTH, "6984")
        self.expect("blocked, wrong value", wrong, "6984")
        self.expect("blocked, empty", "00200080", "63C0")

    def empty_verify(self) -> None:
        self.fresh(JPKI, "00A4020C020018", "00200080")
        self.expect("empty VERIFY spends nothing", "00200080", "63C3")
        self.send("00A4020C020017")
        self.expect("empty VERIFY opens nothing", SIGN_COMMAND, "6982")
        self.send("00A4020C020018", "0020008004" + AUTH)
        self.expect("empty VERIFY after success", "00200080", "63C3")
        self.send("00A4020C020017")
        self.expect("empty VERIFY keeps the status", SIGN_COMMAND, "9000", None)
        self.send("00A4020C020018")
        self.expect("choice: Lc=00", "0020008000", "6700")

    def values(self) -> None:
        self.fresh(JPKI, "00A4020C020018")
        self.expect("value is compared whole", "0020008005" + AUTH + "30", "63C2")
        self.expect("choice: three digits", "0020008003393837", "6700")
        self.expect("choice: seventeen bytes", "0020008011" + "39" * 17, "6700")
        self.expect("choice: and no try is spent", "00200080", "63C2")
        self.send("00A4020C02001B")
        self.expect("case is not folded", "0020008006" + b"xyz789".hex(), "63C4")
        self.fresh(JPKI)
        self.expect("VERIFY by SFI", "0020009804" + AUTH, "9000")
        self.expect("choice: SFI leaves the EF", "00200080", "6986")
        self.send("00A4020C02001B")
        self.expect("VERIFY by SFI beside a current EF", "0020009804" + AUTH, "9000")
        self.expect("VERIFY by SFI, whose counter", "0020009804" + b"0000".hex(), "63C2")
        self.send("00A4020C020017")
        self.expect("choice: wrong drops the status", SIGN_COMMAND, "6982")

    def changing(self) -> None:
        new = b"4321".hex()
        self.fresh(JPKI, "00A4020C020018")
        self.expect("CHANGE without VERIFY", "0024018004" + new, "6982")
        self.send("0020009B06" + SIGN)
        self.expect("CHANGE with the other PIN", "0024018004" + new, "6982")
        self.send("0020008004" + AUTH)
        self.expect("choice: three bytes", "0024018003303030", "6700")
        self.expect("CHANGE", "0024018004" + new, "9000")
        self.expect("choice: status after CHANGE", "0024018004" + new, "9000")
        self.fresh(JPKI, "00A4020C020018", "0020008004" + AUTH, "0024018004" + new)
        self.card.power_off()
        self.send(JPKI, "00A4020C020018")
        self.expect("new PIN", "0020008004" + new, "9000")
        self.expect("old PIN", "0020008004" + AUTH, "63C2")
        self.expect("other PIN stays", "0020009B06" + SIGN, "9000")

    # -- signatures

    def signing(self) -> None:
        auth, sign = self.credentials.auth_certificate, self.credentials.sign_certificate
        self.fresh(JPKI, "00A4020C020018", "0020008004" + AUTH, "00A4020C020017")
        signature = self.expect("auth signature", SIGN_COMMAND, "9000", None)
        self.hold("signature length", len(signature) == 256)
        self.hold("auth block", signed_block(auth, signature) == pkcs1_type_1(DIGEST_INFO))
        self.expect("second signature", SIGN_COMMAND, "9000", None)
        for length in (1, 35, 83, 245):
            data = os.urandom(length)
            signature = self.expect("other lengths", f"802A0080{length:02X}{data.hex()}00", "9000", None)
            self.hold("other lengths", signed_block(auth, signature) == pkcs1_type_1(data))
        self.expect("246 bytes", "802A0080F6" + "AA" * 246 + "00", "6985")
        for mode in ("06", "7F", "80", "FF"):
            self.expect("undefined P1", f"802A{mode}8033" + DIGEST_INFO.hex() + "00", "6A86")
        self.expect("choice: no Le", SIGN_COMMAND[:-2], "6700")
        self.expect("choice: P2=00", SIGN_COMMAND.replace("802A0080", "802A0000"), "6A86")
        digest = hashlib.sha256(b"message").digest()
        message = "07" + b"message".hex() + "00"
        for mode, data, block in (
            ("01", message, pkcs1_type_1(digest)),
            ("02", "20" + digest.hex() + "00", pkcs1_type_1(plain_card.SHA256_DIGEST_INFO + digest)),
            ("03", message, pkcs1_type_1(plain_card.SHA256_DIGEST_INFO + digest)),
        ):
            signature = self.expect("P1 " + mode, f"802A{mode}80{data}", "9000", None)
            self.hold("P1 " + mode, signed_block(auth, signature) == block)
        for mode, data in (("04", "20" + digest.hex() + "00"), ("05", message)):
            signature = self.expect("P1 " + mode, f"802A{mode}80{data}", "9000", None)
            self.hold("P1 " + mode, pss_holds(signed_block(auth, signature), digest))
        self.expect("P1 02, wrong length", "802A02801F" + "00" * 31 + "00", "6985")
        self.fresh(JPKI, "0020009B06" + SIGN, "0020009804" + AUTH, "00A4020C020018")
        signature = self.expect("sign signature by SFI", SIGN_COMMAND.replace("802A0080", "802A009A"), "9000", None)
        self.hold("sign block", signed_block(sign, signature) == pkcs1_type_1(DIGEST_INFO))
        signature = self.expect("auth signature by SFI", SIGN_COMMAND.replace("802A0080", "802A0097"), "9000", None)
        self.hold("auth block by SFI", signed_block(auth, signature) == pkcs1_type_1(DIGEST_INFO))

    def guards_of_keys(self) -> None:
        auth, sign = (SIGN_COMMAND.replace("802A0080", p2) for p2 in ("802A0097", "802A009A"))
        self.fresh(JPKI)
        self.expect("auth key, no PIN", auth, "6982")
        self.expect("sign key, no PIN", sign, "6982")
        self.fresh(JPKI, "0020009804" + AUTH)
        self.expect("sign key, auth PIN", sign, "6982")
        self.fresh(JPKI, "0020009B06" + SIGN)
        self.expect("auth key, sign PIN", auth, "6982")
        for wrong in ("0000", "8765"):
            self.fresh(JPKI, "0020009804" + wrong.encode().hex())
            self.expect("auth key, wrong PIN", auth, "6982")

    def lifetimes(self) -> None:
        opened = (JPKI, "00A4020C020018", "0020008004" + AUTH)
        signing = SIGN_COMMAND.replace("802A0080", "802A0097")
        self.fresh(*opened, "00A4020C020017")
        self.expect("status after EF select", signing, "9000", None)
        self.fresh(*opened)
        self.card.power_off()
        self.send(JPKI)
        self.expect("status after power-off", signing, "6982")
        self.fresh(*opened)
        self.card.lose_reader()
        self.send(JPKI)
        self.expect("status after a lost reader", signing, "6982")
        self.fresh(*opened, REGISTER, JPKI)
        self.expect("status after another application", signing, "6982")
        self.fresh(*opened, MANAGER, JPKI)
        self.expect("status after the card manager", signing, "6982")
        self.fresh(*opened)
        self.card.warm_reset()
        self.expect("choice: nothing selected after reset", "00A40000", "6A86")
        self.send(JPKI)
        self.expect("status after warm reset", signing, "9000", None)
        self.fresh(*opened, JPKI)
        self.expect("choice: status after SELECT again", signing, "6982")
        self.fresh(*opened, "00A4040C05A000000003")
        self.expect("choice: status after a foreign SELECT", signing, "9000", None)
        self.fresh(*opened, "00A40000")
        self.expect("status after SELECT MF", signing, "9000", None)
        self.fresh(JPKI, "0020009B06" + SIGN, "00A4020C020001", "00B0000004")
        self.expect("status after reading", "00B0000004", "9000", None)

    # -- files

    def guards_of_files(self) -> None:
        self.fresh(JPKI)
        self.expect("select sign certificate", "00A4020C020001", "9000")
        self.expect("sign certificate, no PIN", "00B0000004", "6982")
        self.send("0020009804" + AUTH)
        self.expect("sign certificate, auth PIN", "00B0000004", "6982")
        self.send("0020009B06" + SIGN)
        self.expect("sign certificate, sign PIN", "00B0000004", "9000", self.credentials.sign_certificate[:4])
        self.fresh(JPKI, "0020009804" + AUTH, "0020009B06" + SIGN)
        for file_id in ("0017", "001A"):
            self.send("00A4020C02" + file_id)
            self.expect("read a key", "00B0000000", "6981")
        for file_id in ("0018", "001B"):
            self.send("00A4020C02" + file_id)
            self.expect("read a PIN", "00B0000000", "6981")
        self.fresh(JPKI)
        for file_id in ("0002", "0006", "0008", "000A", "000B"):
            self.send("00A4020C02" + file_id)
            self.expect("free " + file_id, "00B0000001", "9000", None)

    def certificate(self, file_id: str) -> bytes:
        """The certificate an EF holds, or nothing if it holds none."""
        content = self.send("00A4020C02" + file_id, "00B00000000000")[:-2]
        try:
            tag, _, end = read_tlv(content)
            return content[:end] if tag == 0x30 else b""
        except (IndexError, ValueError):
            return b""

    def contents(self) -> None:
        kept = self.credentials
        self.fresh(JPKI, "0020009804" + AUTH, "0020009B06" + SIGN)
        auth, auth_ca, sign, sign_ca = (self.certificate(name) for name in ("000A", "000B", "0001", "0002"))
        self.hold("auth certificate", auth == kept.auth_certificate)
        self.hold("auth CA", auth_ca == kept.auth_ca)
        self.hold("sign certificate", sign == kept.sign_certificate)
        self.hold("sign CA", sign_ca == kept.sign_ca)
        self.hold("auth chain", bool(auth and auth_ca) and issued_by(auth, auth_ca))
        self.hold("sign chain", bool(sign and sign_ca) and issued_by(sign, sign_ca))
        self.send("00A4020C020006")
        token = self.send("00B0000000")[:-2]
        self.hold("token label", token[:32] == b"JPKIAPICCTOKEN2".ljust(32))
        self.hold("token size", len(token) == 160)

    def reading(self) -> None:
        auth, token = self.credentials.auth_certificate, self.send(JPKI, "00A4020C020006", "00B0000000")[:-2]
        self.fresh(JPKI, "00A4020C02000A")
        self.expect("Le=00", "00B0000000", "9000", auth[:256])
        self.expect("low offset", "00B0000710", "9000", auth[7:23])
        self.expect("high offset", "00B0010310", "9000", auth[0x103:0x113])
        self.expect("extended Le", "00B00004000200", "9000", auth[4:516])
        self.expect("rest", f"00B0{len(auth) - 9:04X}40", "9000", auth[-9:])
        self.expect("choice: offset is the size", f"00B0{len(auth):04X}01", "6282")
        self.expect("beyond", f"00B0{len(auth) + 1:04X}01", "6B00")
        self.send("00A4020C020018")
        self.expect("SFI", "00B08A0009", "9000", auth[:9])
        self.expect("SFI makes current", "00B0000109", "9000", auth[1:10])
        self.send("00A4020C02000B")
        self.expect("SFI beside a current EF", "00B0860009", "9000", token[:9])
        self.expect("SFI with offset", "00B08A0509", "9000", auth[5:14])
        self.expect("unknown SFI", "00B0830001", "6A82")
        self.fresh(JPKI)
        self.expect("choice: no current EF", "00B0000001", "6986")

    def selecting(self) -> None:
        self.fresh()
        self.hold("ATR", self.card.atr.hex().upper() == "3BE000FF8131FE4514")
        self.expect("MF at power-up", "00A40000", "6A86")
        self.expect("stored ATR, nothing selected", "00CA5F5100", "6A88")
        self.expect("foreign AID", "00A4040006D2760001240100", "6A82")
        self.expect("foreign AID, case 3", "00A4040C07627601FF000000", "6A82")
        self.expect("AID of the same provider", "00A4040C0AD392F000260100000002", "6A82")
        self.expect("AID with a further byte", "00A4040C0BD392F00026010000000100", "6A82")
        self.expect("choice: part of the AID", "00A4040C05D392F00026", "6A82")
        self.expect("SELECT", JPKI, "9000")
        self.expect("stored ATR", "00CA5F5100", "9000", plain_card.ATR[1:])
        self.expect("unknown EF", "00A4020C0200FF", "6A82")
        self.expect("P1=09", "00A4090C02000A", "6A86")
        self.send("00A4020C02000A")
        self.expect("MF in an application", "00A40000", "9000")
        self.expect("MF leaves the EF", "00B0000001", "9000", b"0")
        self.expect("3F00", "00A4000C023F00", "6A82")
        self.expect("card manager", MANAGER, "9000")
        self.expect("manager, MF", "00A40000", "6A86")
        self.expect("manager, 2F11", "00A4020C022F11", "6A82")
        self.expect("manager, 001E", "00A4020C02001E", "9000")
        self.expect("manager, read 001E", "00B0000001", "6981")
        fci = bytes.fromhex("6F0C840AD392F000260100000001")
        self.expect("choice: FCI", JPKI.replace("040C", "0400") + "00", "9000", fci)
        self.expect("choice: P2=00, no Le", JPKI.replace("040C", "0400"), "9000")

    def classes(self) -> None:
        for command in ("00CADF3005", "00CA9F7F00", "00CA006E00"):
            self.fresh()
            self.expect("foreign GET DATA", command, "6A88")
            self.send(JPKI)
            self.expect("foreign GET DATA", command, "6A88")
        self.expect("foreign 00CB", "00CB3FFF035C017E08", "6D00")
        self.expect("unknown INS", "00FE000000", "6D00")
        self.expect("unknown INS", "80FE000000", "6D00")
        for cla in ("01", "02", "03", "40"):
            self.expect("channels", cla + "A4020C02000A", "6881")
        self.expect("CLA 0C", "0CA4020C02000A", "6987")
        self.expect("CLA 08", "08A4020C02000A", "69FC")
        for cla in ("10", "90", "B0", "FF"):
            self.expect("choice: other CLA", cla + "A4020C02000A", "6E00")
        self.expect("too short", "00A404", "6700")
        self.expect("wrong Lc", "00A4020C0200", "6700")
        self.expect("80 AE", "80AE0000", "6982")
        self.expect("80 FC", "80FC0000", "6700")
        self.send(REGISTER)
        self.expect("record", "00B2011400", "9000", b"\x01\x10PLAINKEYREF00001")

    def challenges(self) -> None:
        self.fresh()
        first = self.expect("challenge", "0084000010", "9000", None)
        self.send(JPKI)
        second = self.expect("challenge in an application", "0084000010", "9000", None)
        self.hold("challenge length", len(first) == len(second) == 16)
        self.hold("challenge differs", first != second)
        self.hold("challenge is not zero", any(second))
        self.hold("challenge, Le=00", len(self.expect("challenge, Le=00", "0084000000", "9000", None)) == 256)
        self.expect("challenge, P1P2", "0084010008", "6A86")
        self.expect("challenge, P1P2", "0084000108", "6A86")
        self.expect("challenge, 257", "00840000000101", "6985")


def pss_holds(block: bytes, digest: bytes) -> bool:
    """Whether a block is the EMSA-PSS encoding of a SHA-256 digest."""
    masked, check = block[:223], block[223:255]
    mask = b"".join(hashlib.sha256(check + i.to_bytes(4)).digest() for i in range(7))
    database = bytes(a ^ b for a, b in zip(masked, mask))
    database = bytes([database[0] & 0x7F]) + database[1:]
    padding, salt = database[:191], database[191:]
    expected = hashlib.sha256(bytes(8) + digest + salt).digest()
    return block[-1] == 0xBC and padding == bytes(190) + b"\x01" and check == expected


# The rule whose check must fail for each mutant; further checks may fail with it.
SHOWN_BY = {
    "counter-not-spent": "wrong PIN is counted",
    "counter-only-announced": "wrong PIN is counted",
    "counter-announced-late": "wrong PIN",
    "counter-not-refilled": "auth refill",
    "counter-refilled-short": "auth refill",
    "counter-refilled-to-five": "auth refill",
    "counter-refilled-by-power-off": "power-off does not refill",
    "counter-refilled-by-select": "select does not refill",
    "counter-shared": "counters are apart",
    "auth-tries-five": "auth tries",
    "sign-tries-three": "sign tries",
    "wrong-pin-6300": "wrong PIN",
    "exhausting-try-6984": "exhausting try",
    "blocked-opens": "blocked, right value",
    "blocked-6983": "blocked, right value",
    "blocked-6985": "blocked, right value",
    "blocked-63c0": "blocked, right value",
    "empty-verify-spends": "empty VERIFY spends nothing",
    "empty-verify-9000": "empty VERIFY after success",
    "empty-verify-drops-status": "empty VERIFY keeps the status",
    "empty-verify-opens": "empty VERIFY opens nothing",
    "empty-verify-blocked-6984": "blocked, empty",
    "any-pin-accepted": "wrong PIN",
    "pin-compared-to-four": "value is compared whole",
    "sign-password-case-folded": "case is not folded",
    "verify-opens-both": "sign key, auth PIN",
    "verify-sfi-refused": "VERIFY by SFI",
    "verify-sfi-ignored": "VERIFY by SFI beside a current EF",
    "second-verify-drops-first": "sign signature by SFI",
    "change-ignored": "new PIN",
    "change-keeps-old-valid": "old PIN",
    "change-unverified": "CHANGE without VERIFY",
    "change-by-other-pin": "CHANGE with the other PIN",
    "change-sets-both": "other PIN stays",
    "change-forgotten-at-power-off": "new PIN",
    "sign-without-pin": "sign key, no PIN",
    "auth-key-without-pin": "auth key, no PIN",
    "sign-with-other-key": "auth block",
    "sign-by-any-pin": "sign key, auth PIN",
    "sign-consumes-pin": "second signature",
    "sign-wrong-padding-byte": "auth block",
    "sign-block-type-02": "auth block",
    "sign-unpadded": "auth block",
    "sign-truncated": "signature length",
    "sign-reversed": "auth block",
    "sign-hashes-first": "auth block",
    "sign-adds-digest-info": "auth block",
    "sign-sha256-only": "other lengths",
    "sign-overlong-cut": "246 bytes",
    "sign-p1-ignored": "undefined P1",
    "sign-sfi-refused": "auth signature by SFI",
    "sign-sfi-ignored": "auth signature by SFI",
    "status-survives-power-off": "status after power-off",
    "status-survives-lost-reader": "status after a lost reader",
    "status-survives-other-application": "status after another application",
    "status-survives-card-manager": "status after the card manager",
    "status-falls-on-warm-reset": "status after warm reset",
    "status-falls-on-ef-select": "status after EF select",
    "status-falls-on-read": "status after reading",
    "sign-certificate-free": "sign certificate, no PIN",
    "sign-certificate-by-auth-pin": "sign certificate, auth PIN",
    "sign-certificate-6985": "sign certificate, no PIN",
    "sign-certificate-select-guarded": "select sign certificate",
    "auth-certificate-guarded": "free 000A",
    "ca-certificate-guarded": "free 0002",
    "token-info-guarded": "free 0006",
    "key-readable": "read a key",
    "pin-readable": "read a PIN",
    "auth-certificate-truncated": "auth certificate",
    "auth-certificate-not-by-ca": "auth chain",
    "sign-certificate-not-by-ca": "sign chain",
    "certificates-swapped": "auth chain",
    "auth-certificate-leading-byte": "auth certificate",
    "ca-certificate-garbage": "auth CA",
    "ca-certificates-swapped": "sign chain",
    "token-label-nul-padded": "token label",
    "token-label-wrong": "token label",
    "token-info-short": "token size",
    "read-sfi-ignored": "SFI beside a current EF",
    "read-sfi-not-current": "SFI makes current",
    "read-sfi-offset-ignored": "SFI with offset",
    "read-offset-high-byte-ignored": "high offset",
    "read-le-zero-is-255": "Le=00",
    "read-le-too-large-6282": "rest",
    "read-le-too-large-6cxx": "rest",
    "read-le-too-large-6700": "rest",
    "read-le-too-large-padded": "rest",
    "read-offset-beyond-9000": "beyond",
    "read-extended-le-cut": "extended Le",
    "read-extended-le-6700": "extended Le",
    "unknown-aid-9000": "foreign AID",
    "unknown-aid-6a86": "foreign AID",
    "unknown-ef-9000": "unknown EF",
    "aid-five-bytes-compared": "AID of the same provider",
    "aid-trailing-byte-accepted": "AID with a further byte",
    "select-0c-gives-fci": "SELECT",
    "select-p1-09-accepted": "P1=09",
    "mf-select-leaves-application": "MF leaves the EF",
    "mf-select-9000-at-power-up": "MF at power-up",
    "mf-3f00-9000": "3F00",
    "card-manager-6a82": "card manager",
    "foreign-00ca-9000": "foreign GET DATA",
    "foreign-00cb-9000": "foreign 00CB",
    "unknown-ins-9000": "unknown INS",
    "logical-channels-accepted": "channels",
    "secure-messaging-ignored": "CLA 0C",
    "atr-other": "ATR",
    "stored-atr-with-ts": "stored ATR",
    "challenge-short": "challenge length",
    "challenge-zeros": "challenge is not zero",
    "challenge-repeats": "challenge differs",
    "challenge-le-zero-is-8": "challenge, Le=00",
    "challenge-p1p2-ignored": "challenge, P1P2",
    "challenge-needs-application": "challenge",
}

FOLDER = tempfile.TemporaryDirectory(prefix="plain-card-selftest-")
KEYS = Path(FOLDER.name) / "keys"


def setUpModule() -> None:
    plain_card.obtain_credentials(KEYS, ORGANISATION)


def tearDownModule() -> None:
    FOLDER.cleanup()


class Rules(unittest.TestCase):
    """The rules, checked on the card itself."""

    def walk(self, mutant: str | None) -> list[str]:
        credentials = plain_card.obtain_credentials(KEYS, ORGANISATION)

        def make_card() -> Card:
            return Card(credentials, "9876", "XYZ789", ORGANISATION, mutant)

        return Tour(make_card, credentials).walk()

    def test_the_right_card_keeps_every_rule(self) -> None:
        self.assertEqual(self.walk(None), [])

    def test_each_mutant_breaks_the_rule_it_names(self) -> None:
        self.assertEqual(set(SHOWN_BY), set(MUTANTS))
        for mutant, rule in SHOWN_BY.items():
            with self.subTest(mutant):
                self.assertIn(rule, self.walk(mutant))

    def test_openssl_accepts_a_signature(self) -> None:
        credentials = plain_card.obtain_credentials(KEYS, ORGANISATION)
        card = Card(credentials, "9876", "XYZ789", ORGANISATION)
        for command in (JPKI, "0020009804" + AUTH):
            card.transmit(bytes.fromhex(command))
        signature = card.transmit(bytes.fromhex(SIGN_COMMAND.replace("802A0080", "802A0097")))[:-2]
        folder = Path(FOLDER.name)
        (folder / "message").write_bytes(b"to be signed")
        (folder / "signature").write_bytes(signature)
        (folder / "auth.der").write_bytes(credentials.auth_certificate)
        plain_card.openssl(folder, "x509", "-inform", "DER", "-in", "auth.der", "-pubkey", "-noout", "-out", "key")
        plain_card.openssl(folder, "dgst", "-sha256", "-verify", "key", "-signature", "signature", "message")


class Reader:
    """The reader end of one vpcd connection."""

    def __init__(self, link: socket.socket) -> None:
        self.link = link
        self.link.settimeout(5)

    def frame(self, body: bytes) -> None:
        self.link.sendall(len(body).to_bytes(2) + body)

    def hear(self) -> bytes:
        header = plain_card.receive(self.link, 2)
        assert header is not None
        body = plain_card.receive(self.link, int.from_bytes(header))
        assert body is not None
        return body

    def ask(self, command: str) -> str:
        self.frame(bytes.fromhex(command))
        return self.hear().hex().upper()


class Wire(unittest.TestCase):
    """The program and its socket."""

    def start(self, *options: str) -> subprocess.Popen[str]:
        card = subprocess.Popen(
            [sys.executable, str(PROGRAM), "--keys", str(KEYS), *options],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        self.addCleanup(self.stop, card)
        return card

    def stop(self, card: subprocess.Popen[str]) -> None:
        card.terminate()
        card.communicate(timeout=5)

    def reach(self, card: subprocess.Popen[str]) -> tuple[str, int]:
        assert card.stdout is not None
        word, port = card.stdout.readline().split()
        self.assertEqual(word, "listening")
        return "127.0.0.1", int(port)

    def test_frames(self) -> None:
        address = self.reach(self.start("--listen", "127.0.0.1:0"))
        with socket.create_connection(address) as link:
            reader = Reader(link)
            for control in (b"\x04", b"\x00\x04", b"\x01\x04", b"\x02\x04", b"\x03\x04", b"\xff\x04"):
                for byte in control:
                    reader.frame(bytes([byte]))
                self.assertEqual(reader.hear().hex().upper(), "3BE000FF8131FE4514")
            reader.frame(b"")
            self.assertEqual(reader.ask(JPKI), "9000")
            for byte in len(bytes.fromhex(SIGN_COMMAND)).to_bytes(2) + bytes.fromhex(SIGN_COMMAND):
                link.sendall(bytes([byte]))
            self.assertEqual(reader.hear().hex(), "6986")
            reader.frame(b"\x00\xa4")
            self.assertEqual(reader.hear().hex(), "6700")

    def test_power_and_reset_on_the_wire(self) -> None:
        address = self.reach(self.start("--listen", "127.0.0.1:0"))
        signing = SIGN_COMMAND.replace("802A0080", "802A0097")
        with socket.create_connection(address) as link:
            reader = Reader(link)
            self.assertEqual(reader.ask(JPKI), "9000")
            self.assertEqual(reader.ask("0020009804" + AUTH), "9000")
            reader.frame(b"\x02")
            self.assertEqual(reader.ask(JPKI), "9000")
            self.assertEqual(len(reader.ask(signing)), 516)
            reader.frame(b"\x00")
            reader.frame(b"\x01")
            self.assertEqual(reader.ask(JPKI), "9000")
            self.assertEqual(reader.ask(signing), "6982")
            self.assertEqual(reader.ask("0020009804" + AUTH), "9000")
            self.assertEqual(reader.ask("0020009B06" + b"AAAAA0".hex()), "63C4")
        with socket.create_connection(address) as link:
            reader = Reader(link)
            self.assertEqual(reader.ask(JPKI), "9000")
            self.assertEqual(reader.ask(signing), "6982")
            self.assertEqual(reader.ask("0020009B"), "63C4")

    def test_connecting_retrying_and_reconnecting(self) -> None:
        with socket.create_server(("127.0.0.1", 0)) as taken:
            port = taken.getsockname()[1]
        card = self.start("--connect", f"127.0.0.1:{port}", "--pins", "1111", "ABC123")
        time.sleep(0.5)
        with socket.create_server(("127.0.0.1", port)) as listener:
            listener.settimeout(5)
            for _ in range(2):
                link, _address = listener.accept()
                with link:
                    reader = Reader(link)
                    self.assertEqual(reader.ask("04"), "3BE000FF8131FE4514")
                    self.assertEqual(reader.ask(JPKI), "9000")
                    self.assertEqual(reader.ask("0020009804" + b"1111".hex()), "9000")
                    self.assertEqual(reader.ask("0020009B06" + b"ABC123".hex()), "9000")
        card.send_signal(signal.SIGTERM)
        self.assertEqual(card.wait(timeout=5), 0)

    def test_it_starts_quickly_with_cached_keys(self) -> None:
        begun = time.monotonic()
        self.reach(self.start("--listen", "127.0.0.1:0"))
        self.assertLess(time.monotonic() - begun, 0.5)

    def test_mutants_and_organisations_are_chosen_on_the_command_line(self) -> None:
        card = self.start("--listen", "127.0.0.1:0", "--mutant", "atr-other", "--organisation", "Tōkyō / Office + Co")
        with socket.create_connection(self.reach(card)) as link:
            reader = Reader(link)
            self.assertNotEqual(reader.ask("04"), "3BE000FF8131FE4514")
            self.assertEqual(reader.ask(JPKI), "9000")
            self.assertEqual(reader.ask("00A4020C02000B"), "9000")
            authority = reader.ask("00B00000000000")
            self.assertIn("Tōkyō / Office + Co".encode().hex().upper(), authority)
        unknown = self.start("--listen", "127.0.0.1:0", "--mutant", "no-such-mutant")
        self.assertEqual(unknown.wait(timeout=5), 2)
        listing = self.start("--list-mutants")
        output, _ = listing.communicate(timeout=5)
        self.assertEqual([line.split("\t")[0] for line in output.splitlines()], list(MUTANTS))


if __name__ == "__main__":
    unittest.main()
