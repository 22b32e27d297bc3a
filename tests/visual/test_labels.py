from spacy_medflat.visual.labels import colours, full_name

CMEEE = ["dis", "sym", "dru", "equ", "pro", "bod", "ite", "mic", "dep"]


def contrast_with_white(colour):
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts)
    return 1.05 / (0.2126 * red + 0.7152 * green + 0.0722 * blue + 0.05)


def test_a_known_label_has_the_same_colour_on_every_page():
    whole = colours(CMEEE)
    assert len(set(whole.values())) == 9
    for labels in (["sym"], ["sym", "zzz", "a"], CMEEE[:4]):
        assert all(colours(labels)[label] == whole[label] for label in labels if label in whole)


def test_other_labels_by_their_order_apart_from_all_that_are_there():
    labels = [*CMEEE, *(f"label {i}" for i in range(9))]
    found = colours(reversed(labels))
    assert found == colours(labels) and len(set(found.values())) == 18
    assert len(set(colours(f"{i:02}" for i in range(30)).values())) == 18


def test_colours_can_be_read_on_white():
    assert all(contrast_with_white(colour) >= 4.5 for colour in colours([*CMEEE, *"abcdefghi"]).values())


def test_names():
    assert full_name("dis") == "disease 疾病" and full_name("ite") == "item 医学检验项目" and full_name("LOC") == "LOC"
