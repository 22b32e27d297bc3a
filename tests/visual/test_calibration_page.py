from spacy_medflat.ner.reliability import Reliability
from spacy_medflat.visual.calibration_page import CalibrationRow, render_calibration

ROWS = [
    CalibrationRow("as it is", 0.4, Reliability(0.2, [(0.3, 0.1, 5), (0.9, 0.5, 2)]), False),
    CalibrationRow("with <words>", 0.5, Reliability(0.01, [(0.3, 0.3, 5)]), True),
    CalibrationRow("nothing found", 0.0, Reliability(0.0, []), False),
]


def test_the_page_has_figures_diagram_and_thresholds():
    page = render_calibration("Of <mine>", "3 texts", ROWS, {"dis": 0.25, "<sym>": 0.5}, "+1.30 F1")
    assert page.count("<svg") == 1 and "as it is: 20.0 off" in page and "+1.30 F1" in page
    assert '<tr class="chosen"><td>with &lt;words&gt;</td><td>50.00</td><td>0.0100</td></tr>' in page
    assert "<td>&lt;sym&gt;</td><td>0.500</td>" in page and "<words>" not in page and "<mine>" not in page
    assert page == render_calibration("Of <mine>", "3 texts", ROWS, {"dis": 0.25, "<sym>": 0.5}, "+1.30 F1")
