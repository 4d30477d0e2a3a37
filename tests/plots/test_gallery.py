"""Every picture of the gallery can be drawn as it is printed there."""

import runpy
from pathlib import Path

import matplotlib
import pytest

matplotlib.use("Agg")
from matplotlib import pyplot

GALLERY = Path(__file__).resolve().parents[2] / "docs" / "gallery"


@pytest.mark.filterwarnings("ignore:FigureCanvasAgg is non-interactive:UserWarning")
@pytest.mark.parametrize(
    "script", sorted(GALLERY.glob("*.py")), ids=lambda script: script.stem
)
def test_script_draws(script):
    runpy.run_path(str(script))
    assert pyplot.get_fignums()
    for number in pyplot.get_fignums():
        figure = pyplot.figure(number)
        figure.canvas.draw()
        assert all(ax.has_data() for ax in figure.axes)
    pyplot.close("all")
