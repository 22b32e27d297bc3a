"""The kinds of problem a corpus can have, and which of them stop a strict run."""

BROKEN: dict[str, str] = {
    "unreadable": "line, record or file that cannot be read; text skipped",
    "broken_annotation": "annotation that cannot be read; entity skipped",
    "empty_or_reversed": "start is not before end; entity skipped",
    "out_of_text": "offset below 0 or past the text; entity skipped",
    "surface_mismatch": "the entity's own text differs from the text at its offsets; offsets kept",
    "repeated_entity": "same offsets and label twice in one text; one kept",
    "unknown_label": "label not among those asked for; entity skipped",
    "unaligned": "the tokenizer has no token boundary at an offset; entity skipped",
    "discontinuous": "entity of several pieces, which a span cannot hold; entity skipped",
    "tag_sequence": "tags out of order for their scheme; read as the nearest entity",
    "surrogate": "half of a surrogate pair, which UTF-8 cannot hold; text skipped",
    "missing_spans_key": "document without the asked-for span group; read without entities",
    "dropped_span": "overlap or offsets that the output format cannot hold; entity not written",
    "dropped_unknown": "spans that may be entities, which the output format cannot hold: there they are none",
    "contradiction": "entity that is also among the unknown spans of its text; it counts as an entity",
    "unwritable": "character, label or text that the output format cannot hold; not written",
    "unknown_value": "assertion, value or other attribute of an entity that does not exist; not read",
    "label_mismatch": "label that the first file lacks, so nothing can be learnt about it",
}
"""The kinds that stop a strict run, with their meaning: an annotation is skipped, or two statements disagree."""

KINDS: dict[str, str] = {
    **BROKEN,
    "no_entities": "no entity in the whole file; is it annotated?",
    "rejected": "rejected, ignored or cancelled by the annotator, so not gold; text skipped",
    "predicted": "entities that a model predicted and no annotator confirmed; kept",
    "utf16_offsets": "offsets that count UTF-16 units, as the entity's own text shows; turned into characters",
    "empty_text": "empty or only white space; kept",
    "duplicate_text": "text seen before; kept",
    "conflict": "text seen before with other entities; kept",
    "markup": "text with <sub> or <sup> mark-up; kept",
    "stray_markup": "text with a closing </sub> or </sup> but no opening one; kept",
    "crossing": "entities overlap without one holding the other; kept",
    "ignored_annotation": "relation, attribute, note or further annotation; not read",
    "dropped_meta": "extra field, identifier or scores that the output format cannot hold; not written",
    "shared_text": "text that another file holds too",
    "label_absent": "label that the first file has and this one lacks",
}
"""Every kind with its meaning, the broken ones first."""
