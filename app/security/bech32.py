"""Bech32 (BIP 173): bytes as letters that can be read out, with a checksum. Without its limit of 90 letters."""

from collections.abc import Iterable

ALPHABET = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"
_GENERATOR = (0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3)
_CHECK = 6


def encode(prefix: str, data: bytes) -> str:
    values = _regrouped(data, 8, 5)
    checksum = _polymod([*_expanded(prefix), *values, *[0] * _CHECK]) ^ 1
    values += [(checksum >> 5 * (_CHECK - 1 - n)) & 31 for n in range(_CHECK)]
    return prefix + "1" + "".join(ALPHABET[value] for value in values)


def decode(text: str) -> tuple[str, bytes]:
    """Prefix and bytes; raises ValueError."""
    folded = text.lower()
    prefix, _, letters = folded.rpartition("1")
    if text not in (folded, text.upper()) or not prefix or len(letters) < _CHECK:
        raise ValueError("not Bech32")
    values = [ALPHABET.index(letter) for letter in letters]
    if _polymod([*_expanded(prefix), *values]) != 1:
        raise ValueError("a letter is wrong")
    return prefix, bytes(_regrouped(values[:-_CHECK], 5, 8))


def _regrouped(values: Iterable[int], width: int, into: int) -> list[int]:
    found, held, bits = [], 0, 0
    for value in values:
        held, bits = (held << width) | value, bits + width
        while bits >= into:
            bits -= into
            found.append((held >> bits) & ((1 << into) - 1))
        held &= (1 << bits) - 1
    if width > into and bits:
        found.append(held << (into - bits))
    elif width < into and (bits >= width or held):
        raise ValueError("not Bech32")
    return found


def _expanded(prefix: str) -> list[int]:
    return [*(ord(letter) >> 5 for letter in prefix), 0, *(ord(letter) & 31 for letter in prefix)]


def _polymod(values: Iterable[int]) -> int:
    checksum = 1
    for value in values:
        top = checksum >> 25
        checksum = (checksum & 0x1FFFFFF) << 5 ^ value
        for bit, generator in enumerate(_GENERATOR):
            checksum ^= generator if (top >> bit) & 1 else 0
    return checksum
