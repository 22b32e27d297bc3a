"""Draw the picture of the README: `python docs/img/make_nested.py zh_medflat` after `spacy project run train`.

It writes what the pipeline finds in the README's sentence to nested.json, and draws that as nested.svg.
"""

import json
import sys
from collections.abc import Sequence
from html import escape
from pathlib import Path

from spacy_medflat.visual.labels import colours, full_name

TEXT = "胸部CT示右肺上叶腺癌，伴双下肢水肿。"
CELL, LEFT, TOP, STEP = 36, 16, 46, 25
FONT = "'Noto Sans CJK SC','PingFang SC','Microsoft YaHei','Source Han Sans SC',sans-serif"


def draw(text: str, entities: Sequence[tuple[int, int, str]]) -> str:
    """The picture of a text, its inner entities nearest to it.

    text (str): one line.
    entities (sequence of (int, int, str)): start, exclusive end and label; nested, never crossing.
    RETURNS (str): SVG.
    """
    spans = [tuple(entity) for entity in entities]
    depth = {span: sum(o[0] <= span[0] and span[1] <= o[1] and o != span for o in spans) for span in spans}
    labels = sorted({label for _, _, label in spans})
    names = "   ".join(f"{label} {full_name(label)}" for label in labels)
    colour_of = colours(labels)
    width = 2 * LEFT + CELL * len(text)
    height = TOP + STEP * (max(depth.values()) + 1) + 40
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" '
        f'font-family="{FONT}" role="img" aria-label="Nested entities of a clinical sentence">',
        f'<rect width="{width}" height="{height}" rx="6" fill="#ffffff"/>',
    ]
    for i, character in enumerate(text):
        x = LEFT + CELL * (i + 0.5)
        parts.append(f'<text x="{x}" y="{TOP - 14}" font-size="24" text-anchor="middle">{escape(character)}</text>')
    for start, end, label in spans:
        x, length = LEFT + CELL * start + 1.5, CELL * (end - start) - 3
        inner = max((depth[o] for o in spans if start <= o[0] and o[1] <= end), default=0)
        y = TOP + STEP * (inner - depth[start, end, label])
        colour = colour_of[label]
        parts.append(
            f'<rect x="{x}" y="{y}" width="{length}" height="{STEP - 5}" rx="4" fill="{colour}" fill-opacity=".13" '
            f'stroke="{colour}" stroke-width="1.3"/>'
        )
        parts.append(
            f'<text x="{x + length / 2}" y="{y + 14.5}" font-size="13" font-weight="600" fill="{colour}" '
            f'text-anchor="middle">{label}</text>'
        )
    parts.append(
        f'<text x="{LEFT}" y="{height - 16}" font-size="13" fill="#555555" xml:space="preserve">{escape(names)}</text>'
    )
    return "\n".join([*parts, "</svg>\n"])


def main() -> None:
    """Read the sentence with the pipeline that is named, and write both files."""
    import spacy

    doc = spacy.load(sys.argv[1])(TEXT)
    entities = [(span.start_char, span.end_char, span.label_) for span in doc.spans["sc"]]
    folder = Path(__file__).parent
    content = json.dumps({"text": TEXT, "entities": entities}, ensure_ascii=False)
    (folder / "nested.json").write_text(f"{content}\n", encoding="utf-8")
    (folder / "nested.svg").write_text(draw(TEXT, entities), encoding="utf-8")


if __name__ == "__main__":
    main()
