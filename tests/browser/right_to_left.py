"""What people ask and are told in Arabic and Hebrew: every kind of block, with Latin words and code in it."""

ARABIC_TITLE = "تحضير الشاي الأخضر ومقارنة لغات البرمجة"
ARABIC_QUESTION = """كيف أحضّر الشاي الأخضر؟ وهل يمكنك أن تعطيني مثالاً بلغة Python؟

And one line in English, please."""
ARABIC_ANSWER = """## تحضير الشاي الأخضر في 3 خطوات

Python هي لغة برمجة عامة، لكن **الشاي** يحتاج إلى ماء حرارته 75 °C (أي 167 °F) لمدة دقيقتين.
استخدم الأمر `npm install tea` أولاً، ثم اقرأ [الدليل](https://example.com/tea).

`print()` تكتب النص على الشاشة، والصيغة $m = 2\\,\\mathrm{g}$ تكفي لكل 100 مل.

- **Sencha**: شاي ياباني أخضر، طعمه عشبي ومنعش
- شاي صيني مثل *Longjing*، طعمه يشبه الكستناء
  1. سخّن الإبريق
  2. أضف 7 غرامات من الأوراق
- Only English stands in this item.

10. العنصر العاشر
11. العنصر الحادي عشر

> «الشاي يبدأ بالماء»، كما يقول المثل.
>
> - عنصر داخل الاقتباس

| اللغة | السنة | Typing | ملاحظات |
|---|--:|:-:|---|
| Python | 1991 | dynamic | سهلة التعلّم، وتُستعمل كثيراً |
| Rust | 2015 | static | سريعة وآمنة |

```python
# احسب كمية الشاي
def grams(millilitres: int) -> float:
    return millilitres * 0.02  # غرام
```

$$\\sum_{k=1}^{n} k = \\frac{n(n+1)}{2}$$

This paragraph is in English, though it ends with مرحبا.

هل تريد أن أحسب الكمية لإبريق سعته 350 مل؟[^1]

[^1]: القيم تقريبية، انظر Wikipedia.
"""

HEBREW_TITLE = "איך מתקינים את Docker על Ubuntu?"
HEBREW_QUESTION = "איך מתקינים את Docker על Ubuntu 24.04?"
HEBREW_ANSWER = """### התקנה של Docker

Docker הוא כלי להרצת תוכנות במכולות (containers), והוא חינמי לשימוש אישי.

1. עדכנו את רשימת החבילות: `sudo apt update`
2. התקינו את **docker.io** עם הפקודה הבאה:

   ```bash
   sudo apt install -y docker.io   # דורש הרשאות
   ```

3. בדקו שהכול עובד

> שימו לב: המחיר הוא ₪25.50 (כ-$7) לחודש, החל מ-1.1.2026.

| פקודה | מה היא עושה |
|---|---|
| `docker ps` | מציגה מכולות פעילות |
| `docker stop` | עוצרת מכולה |

- Hello: שלום
- Thank you: תודה
- You're welcome: בבקשה
"""
