"""Draw the picture of the README: python docs/img/make_nested.py writes docs/img/nested.svg.

The sentence and its entities are ours: they show what a well-trained pipeline finds.
"""

from html import escape
from pathlib import Path

TEXT = "患者行右肺上叶腺癌根治术，复查胸部CT见右肺下叶结节，伴咳嗽。"
ENTITIES = [
    ("右肺上叶腺癌根治术", "pro"),
    ("右肺上叶腺癌", "dis"),
    ("右肺上叶", "bod"),
    ("胸部CT", "pro"),
    ("胸部", "bod"),
    ("右肺下叶结节", "sym"),
    ("右肺下叶", "bod"),
    ("咳嗽", "sym"),
]
COLOURS = {"pro": "#b5651d", "dis": "#b3261e", "bod": "#1f5fa8", "sym": "#2e7d32"}
NAMES = "bod 身体部位 body   dis 疾病 disease   pro 检查、手术 procedure   sym 临床表现 symptom, sign"
CELL, LEFT, TOP, STEP = 29, 16, 46, 25
FONT = "'Noto Sans CJK SC','PingFang SC','Microsoft YaHei','Source Han Sans SC',sans-serif"


def main() -> None:
    spans = [(TEXT.index(words), TEXT.index(words) + len(words), label) for words, label in ENTITIES]
    depth = {span: sum(o[0] <= span[0] and span[1] <= o[1] and o != span for o in spans) for span in spans}
    deepest = max(depth.values())
    width = 2 * LEFT + CELL * len(TEXT)
    height = TOP + STEP * (deepest + 1) + 40
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" '
        f'font-family="{FONT}" role="img" aria-label="Nested entities of a clinical sentence">',
        f'<rect width="{width}" height="{height}" rx="6" fill="#ffffff"/>',
    ]
    for i, character in enumerate(TEXT):
        x = LEFT + CELL * (i + 0.5)
        parts.append(f'<text x="{x}" y="{TOP - 14}" font-size="23" text-anchor="middle">{escape(character)}</text>')
    for start, end, label in spans:
        x, length = LEFT + CELL * start + 1.5, CELL * (end - start) - 3
        # The innermost entity stands next to the text.
        inner = max((depth[o] for o in spans if start <= o[0] and o[1] <= end), default=0)
        y = TOP + STEP * (inner - depth[start, end, label])
        colour = COLOURS[label]
        parts.append(
            f'<rect x="{x}" y="{y}" width="{length}" height="{STEP - 5}" rx="4" fill="{colour}" fill-opacity=".13" '
            f'stroke="{colour}" stroke-width="1.3"/>'
        )
        parts.append(
            f'<text x="{x + length / 2}" y="{y + 14.5}" font-size="13" font-weight="600" fill="{colour}" '
            f'text-anchor="middle">{label}</text>'
        )
    parts.append(
        f'<text x="{LEFT}" y="{height - 16}" font-size="13" fill="#555555" xml:space="preserve">{escape(NAMES)}</text>'
    )
    Path(__file__).with_name("nested.svg").write_text("\n".join([*parts, "</svg>\n"]), encoding="utf8")


if __name__ == "__main__":
    main()
