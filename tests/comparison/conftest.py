"""One finished comparison, shared by the tests that read it."""

from pathlib import Path

import pytest

from tests.comparison import small


@pytest.fixture(scope="session")
def prices(tmp_path_factory: pytest.TempPathFactory):
    """The result of a comparison of two losses with a full-batch and a mini-batch method, on 200 rows."""
    from downslope import compare

    place = tmp_path_factory.mktemp("prices")
    table = small.write(place / "prices.csv", small.only(*small.PLAIN))
    return compare(str(table), out=place / "run", **small.PRICES)


@pytest.fixture
def prices_folder(prices) -> Path:
    """Its folder."""
    return prices.folder
