"""Tables as models write them: short and long, narrow and wide, with every kind of content in their cells."""

TABLE_TITLE = "Teas of the house, compared in every way we could think of"
TABLE_QUESTION = "Compare the teas of the house. As tables, please."
_ROWS = "\n".join(
    f"| {n} | {name} | {60 + n * 2 % 35} °C | {n * 37.5:,.2f} |"
    for n, name in enumerate(("Sencha", "Gyokuro", "Longjing", "Tieguanyin", "Darjeeling", "Lapsang Souchong") * 3, 1)
)
TABLE_ANSWER = f"""Two columns, as short as a table can be:

| Tea | Minutes |
|---|---|
| Green | 2 |
| Black | 4 |

Without pipes at its sides, each column set its own way:

Left | Centre | Right
:--- | :---: | ---:
a | b | c
a longer text | in the middle | 1,234.50

What stands in cells:

| What | Example | Result |
|---|---|---|
| Code with pipes | `a || b` and `x | y` | `true` |
| A formula | $|x| \\le \\frac{{1}}{{2}}$ | $x \\in [-\\tfrac12, \\tfrac12]$ |
| **Bold**, *slanted*, ~~struck~~ | [a link](https://example.com) | H<sub>2</sub>O, m<sup>2</sup> |
| A break<br>within a cell | <kbd>Ctrl</kbd> + <kbd>K</kbd> | <mark>marked</mark> |
| | An empty cell before this one | |
| A word that never ends | {"Donaudampfschifffahrtsgesellschaft" * 3} | scrolls |
| Too few cells |
| Too | many | cells | here |

Wide: nine columns.

| Tea | Country | Region | Harvest | Colour | Water | Time | Price | Notes |
|---|---|---|---|---|--:|--:|--:|---|
| Gyokuro | Japan | Uji, Kyoto | first flush, three weeks in shade | deep green | 60 °C | 2:30 | 48.00 | umami |
| Longjing | China | Hangzhou, Zhejiang | before the rains | jade | 80 °C | 2:00 | 36.50 | chestnut, sweet |
| Tieguanyin | China | Anxi, Fujian | spring and autumn | amber | 95 °C | 3:00 | 29.90 | orchid, mineral |

Long: eighteen rows.

| # | Tea | Water | Price |
|--:|---|:-:|--:|
{_ROWS}

- In a list:

  | a | b |
  |---|---|
  | 1 | 2 |

> In a quote:
>
> | a | b |
> |---|---|
> | 1 | 2 |
"""
