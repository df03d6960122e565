"""What a result shows in a notebook: its answer as HTML, and the report's pictures as axes."""

from matplotlib.figure import Figure

from tests.comparison.report.hostile import PAYLOADS

PICTURES = ("plot_ranking", "plot_heatmap", "plot_learning_rate", "plot_curves", "plot_scores", "plot_tuning")


def test_every_picture_of_the_report_is_a_method(prices):
    for name in (*PICTURES, "plot_predictions", "plot_residuals"):
        ax = Figure().add_subplot()
        assert getattr(prices, name)(ax=ax) is ax, name
        assert ax.lines or ax.patches, name
        assert getattr(prices, name)().figure is not None
    by_seconds = prices.plot_scores(by="seconds")
    assert by_seconds.get_xlabel() == "seconds"
    chosen = prices.recommendation["id"]
    whole = prices.data["timing"]["contender_seconds"][chosen]
    assert max(by_seconds.lines[0].get_xdata()) == whole > 0


def test_classes_have_pictures_of_their_own(prices):
    from tests.comparison.report.sample import sample

    data, _, judged = sample("multiclass", optimizers=("adam", "sgd"), rows=60, epochs=2)
    shown = type(prices)(data, judged, prices.folder)
    for name in ("plot_confusion", "plot_calibration"):
        ax = Figure().add_subplot()
        assert getattr(shown, name)(ax=ax) is ax and (ax.lines or ax.patches), name


def test_the_cell_of_a_notebook_is_small_escaped_and_offline(prices):
    shown = prices._repr_html_()
    assert len(shown) < 60_000
    assert "<script" not in shown and "http" not in shown and "url(#" in shown
    assert prices.recommendation["text"].split(".")[0] in shown.replace("&#39;", "'")
    text = prices.recommendation["text"]
    try:
        prices.recommendation["text"] = PAYLOADS[0]
        assert PAYLOADS[0] not in prices._repr_html_() and "&lt;script&gt;" in prices._repr_html_()
    finally:
        prices.recommendation["text"] = text
