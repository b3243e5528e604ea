"""Chinese, Japanese and Korean, where no space shows a parser what belongs together.

The rule for emphasis is markdown-cjk-friendly's amendment to CommonMark: tats-u/markdown-cjk-friendly on GitHub.
"""

import re
from typing import Any

HANGUL = "\u1100-\u11ff\u3131-\u318e\u3200-\u321e\u3260-\u327f\ua960-\ua97f\uac00-\ud7fb\uffa0-\uffdc"
# Wide, full-width and half-width by UAX #11, but Hangul and what is shown as an emoji.
WIDE = (
    "\u20a9\u2329\u232a\u2630-\u2637\u268a-\u268f\u2e80-\u303e\u3041-\u3130\u318f-\u31ff\u321f-\u3247\u3250-\u325f\u3280-\ua4cf"
    "\uf900-\ufaff\ufe10-\ufe19\ufe30-\ufe6b\uff01-\uff9f\uffe0-\uffee"
    "\U00016fe0-\U00018dff\U0001aff0-\U0001b2ff\U0001d300-\U0001d376"
    "\U0001f200\U0001f202\U0001f210-\U0001f219\U0001f21b-\U0001f22e\U0001f230\U0001f231\U0001f237\U0001f23b"
    "\U0001f240-\U0001f248\U0001f260-\U0001f265\U00020000-\U0003fffd"
)
CJK = HANGUL + WIDE
# Chinese has quotation marks, dashes and dots in common with other languages.
SHARED = "\u2014\u2018\u2019\u201c\u201d\u2026"
PUNCTUATION = (
    f"{SHARED}\u3001-\u3004\u3008-\u3020\u3030\u303d\ufe10-\ufe19\ufe30-\ufe6b"
    "\uff01-\uff0f\uff1a-\uff20\uff3b-\uff40\uff5b-\uff65\uffe0-\uffe6"
)

_IS_CJK = re.compile(f"[{CJK}]")
# With a variation selector behind it, which may also make a shared quotation mark a wide one.
_ENDS_IN_CJK = re.compile(f"(?:[{CJK}][\ufe00-\ufe0e]?|[\U000e0100-\U000e01ef]|[\u2018\u2019\u201c\u201d]\ufe01)\\Z")
_SELECTOR = re.compile("(?<=.)[\ufe00-\ufe0e]\\Z", re.DOTALL)


def add_cjk(markdown: Any) -> None:
    from markdown_it.common.utils import isMdAsciiPunct, isPunctChar, isWhiteSpace
    from markdown_it.rules_inline.state_inline import Scanned, StateInline

    class State(StateInline):
        def scanDelims(self, start: int, canSplitWord: bool) -> Scanned:  # noqa: N802, N803 - markdown-it's names
            scanned = super().scanDelims(start, canSplitWord)
            end = start + scanned.length
            before, after = self.src[max(0, start - 2) : start], self.src[end : min(end + 1, self.posMax)]
            if not before or not after or isWhiteSpace(ord(before[-1])) or isWhiteSpace(ord(after)):
                return scanned
            opens, closes = is_punctuation(_SELECTOR.sub("", before)[-1]), is_punctuation(after)
            if canSplitWord:
                beside = bool(_ENDS_IN_CJK.search(before) or _IS_CJK.match(after))
                opens, closes = beside or opens or not closes, beside or closes or not opens
            return Scanned(opens, closes, scanned.length)

    def is_punctuation(char: str) -> bool:
        return isMdAsciiPunct(ord(char)) or isPunctChar(char)

    def parse(source: str, markdown: Any, env: Any, tokens: list[Any]) -> list[Any]:
        """As ParserInline's own, which has no other way to a state of ours."""
        state = State(source, markdown, env, tokens)
        markdown.inline.tokenize(state)
        for rule in markdown.inline.ruler2.getRules(""):
            rule(state)
        return state.tokens

    markdown.inline.parse = parse
