"""An answer of 8 kB streamed in 400 pieces, against rendering it once."""

import time

from app.rendering import StreamingRenderer
from app.rendering.highlight import highlight
from app.rendering.pipeline import render_uncached
from tests.rendering.test_hostile_sizes import WORST, text_of

HOSTILE_CHARACTERS = 100_000
PARAGRAPH = """## How to brew it

Green tea wants water of about **70 to 80 °C**: hotter water draws the *bitter* part out of the leaf. Use `3 g` of leaf
for 150 ml, and see [the guide](https://example.org/tea) for more. In short, $c = m / V$ and nothing else.

1. Warm the pot, then empty it.
2. Put the leaves in and pour the water over them.
3. Wait for two minutes; taste; stop when you like it.

```python
def steep(grams: float, millilitres: float) -> float:
    \"\"\"Minutes, by a rule of thumb.\"\"\"
    return 2.0 * (grams / millilitres) / (3 / 150)
```

| tea | °C | minutes |
|---|---|---|
| green | 75 | 2 |
| black | 95 | 4 |

"""


def run() -> dict[str, float]:
    text = (PARAGRAPH * 12)[:8192]
    size = len(text) // 400 + 1
    pieces = [text[i : i + size] for i in range(0, len(text), size)]
    render_uncached(text)
    once, streamed = [], []
    for _ in range(5):
        highlight.cache_clear()
        began = time.process_time()
        render_uncached(text)
        once.append(time.process_time() - began)
        highlight.cache_clear()
        began = time.process_time()
        renderer = StreamingRenderer()
        for piece in pieces:
            renderer.feed(piece)
        renderer.finish()
        streamed.append(time.process_time() - began)
    return {
        "hostile_100k_s": round(max(map(_seconds, WORST)), 2),
        "once_ms": round(min(once) * 1000, 1),
        "stream_ratio": round(min(streamed) / min(once), 2),
    }


def _seconds(shape: str) -> float:
    text = text_of(shape, HOSTILE_CHARACTERS)
    began = time.process_time()
    render_uncached(text)
    return time.process_time() - began


if __name__ == "__main__":
    print(run())
