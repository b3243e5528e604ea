"""What people ask and are told on the pages that are looked at: real sentences in both languages."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Words:
    """The same thing in both languages."""

    en: str
    zh: str

    def in_(self, language: str) -> str:
        return self.zh if language.startswith("zh") else self.en


TITLES = [
    # Hours since it was used last, and its title.
    (1, Words("Letter to the landlord about the heating", "就暖气问题写给房东的信")),
    (3, Words("A week of vegetarian dinners", "一周素食晚餐计划")),
    (6, Words("Why does the moon look larger near the horizon?", "为什么月亮在地平线附近看起来更大？")),
    (26, Words("Regular expression for ISO dates", "匹配 ISO 日期的正则表达式")),
    (29, Words("Packing list for Iceland in March", "三月冰岛旅行行李清单")),
    (50, Words("Summary of chapter four", "第四章摘要")),
    (75, Words("Two-factor sign-in explained to my father", "给父亲讲解两步验证")),
    (120, Words("Names for a small bakery", "给一家小面包店取名")),
    (200, Words("Rewrite: complaint, but polite", "改写：客气的投诉信")),
    (330, Words("Kotlin coroutines and cancellation", "Kotlin 协程与取消")),
    (500, Words("Birthday speech, three minutes", "三分钟生日致辞")),
    (900, Words("How does a heat pump work?", "热泵是如何工作的？")),
    (1500, Words("Old Norse words in English", "英语中的古诺尔斯语词汇")),
]
ARCHIVED = [
    (700, Words("Notes for the flat viewing", "看房笔记")),
    (2000, Words("Bread that does not rise", "发不起来的面包")),
]

DIAGRAM = Words(
    """From the leaf to the cup:

```mermaid
flowchart LR
  leaf[Green leaf] --> kettle{75 °C?}
  kettle -- yes --> pot[Pot, two minutes]
  kettle -- no --> wait[Wait] --> kettle
  pot --> cup([Cup])
```

Taste it before you wait any longer.
""",
    """从茶叶到茶杯：

```mermaid
flowchart LR
  leaf[绿茶叶] --> kettle{75 °C？}
  kettle -- 是 --> pot[茶壶，两分钟]
  kettle -- 否 --> wait[等待] --> kettle
  pot --> cup([茶杯])
```

再等之前，先尝一口。
""",
)

RICH_TITLE = Words("Brewing green tea", "冲泡绿茶")
RICH_QUESTION = Words(
    "How do I brew green tea well, and can you work out the ratio for my 350 ml pot?",
    "怎样冲泡绿茶才好喝？我的茶壶是 350 毫升，请帮我算一下投茶量。",
)
RICH_ANSWER = Words(
    """Green tea wants **cooler water** than you may expect. Boiling water draws the bitter part out of the leaf
before the sweet part has a chance.

## For your pot

1. Boil the water and let it stand for five minutes, until it has about 75 °C.
2. Put the leaves in, pour, and wait for *two minutes*.
3. Taste. If it is thin, wait for half a minute more.

The ratio is a matter of taste, but a good start is

$$m = \\frac{V}{150\\,\\mathrm{ml}} \\cdot 3\\,\\mathrm{g} = \\frac{350}{150} \\cdot 3 \\approx 7\\,\\mathrm{g}$$

| Tea | Water | First brew | Second brew |
| --- | ---: | ---: | ---: |
| Longjing 龙井 | 75 °C | 2 min | 1½ min |
| Sencha | 70 °C | 1 min | 20 s |
| Gunpowder | 80 °C | 2 min | 2 min |

> The best tea is the one that you take the time for.

If you like, let a small program keep the time:

```python
def steep(grams: float, millilitres: float) -> float:
    \"\"\"Minutes, by a rule of thumb.\"\"\"
    strength = grams / millilitres * 150 / 3
    return max(0.5, 2.0 / strength)

print(f"{steep(7, 350):.1f} minutes")
```

- Use `7 g` of leaf for the pot.
- Keep the leaves: they are good for two or three brews.
- Do not cover the pot; steam cooks the leaf.
""",
    """绿茶需要的水温比想象中**低一些**。沸水会先把叶子里的苦味逼出来，甜味却来不及释放。

## 适合你这把壶的做法

1. 水烧开后放置五分钟，等到大约 75 °C。
2. 放入茶叶，注水，等待*两分钟*。
3. 尝一口。如果觉得淡，再等半分钟。

投茶量因人而异，不妨从这里开始：

$$m = \\frac{V}{150\\,\\mathrm{ml}} \\cdot 3\\,\\mathrm{g} = \\frac{350}{150} \\cdot 3 \\approx 7\\,\\mathrm{g}$$

| 茶 | 水温 | 第一泡 | 第二泡 |
| --- | ---: | ---: | ---: |
| 龙井 | 75 °C | 2 分钟 | 1 分半 |
| 煎茶 Sencha | 70 °C | 1 分钟 | 20 秒 |
| 珠茶 | 80 °C | 2 分钟 | 2 分钟 |

> 最好的茶，是你愿意花时间去泡的那一杯。

也可以写一个小程序来计时：

```python
def steep(grams: float, millilitres: float) -> float:
    \"\"\"按经验估算的分钟数。\"\"\"
    strength = grams / millilitres * 150 / 3
    return max(0.5, 2.0 / strength)

print(f"{steep(7, 350):.1f} 分钟")
```

- 这把壶用 `7 g` 茶叶。
- 茶叶别倒掉，还可以再泡两三次。
- 不要盖盖子，蒸汽会把叶子闷熟。
""",
)
THOUGHT = Words(
    "The person has a pot of 350 ml. A usual ratio is 3 g for 150 ml: about 7 g. I should say the temperature first.",
    "对方的茶壶是 350 毫升。常见的比例是 150 毫升用 3 克，所以大约 7 克。应该先说水温。",
)
PLAIN_QUESTION = Words("Why does it taste of grass?", "为什么会有青草味？")
PLAIN_ANSWER = Words(
    "That taste is the leaf itself: green tea is heated soon after it is picked, so it keeps what a fresh leaf has. "
    "Steamed teas from Japan have more of it, and pan-fired ones from China taste of chestnut instead.",
    "这是茶叶本身的味道：绿茶采摘后很快就杀青，保留了鲜叶的气息。日本的蒸青茶更明显，而中国的炒青茶则带有栗子香。",
)
OTHER_ANSWER = Words("It is young leaf, steamed and not fired.", "因为那是蒸青的嫩叶，没有经过炒制。")
FAILURE = "llama runner process has terminated: not enough memory"
# Asked live; the storyteller writes these slowly and does not end.
WRITING = Words("Tell me how tea came to Europe.", "请讲讲茶叶是怎样传到欧洲的。")
THINKING = Words("Think first: which tea for a cold morning?", "请先想一想：寒冷的早晨适合喝什么茶？")
HURRIED = Words("Quick: which tea is ready in one minute?", "快说：哪种茶一分钟就能泡好？")
STORY = Words(
    "The first tea came to Europe with Dutch ships, around the year 1610. It was dear, and it was sold as a medicine. "
    "A century later it was in every kitchen.\n\nWhat made the difference was the *clipper*: a ship built for "
    "nothing but speed. The first one home with the new harvest had the best price, and so they raced.\n\n",
    "大约在 1610 年，第一批茶叶随荷兰商船来到欧洲。它很昂贵，被当作药物出售。一个世纪以后，家家户户的厨房里都有了茶。"
    "\n\n带来变化的是*飞剪船*：一种只为速度而造的船。谁先把新茶运到，谁就能卖出最好的价钱，于是船与船之间展开了竞赛。\n\n",
)
