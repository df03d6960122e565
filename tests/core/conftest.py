"""What tests of kernels share."""

import pytest

from downslope.core import native


@pytest.fixture(params=["ours", "numpy"])
def kernels(request, monkeypatch):
    """By whose kernels."""
    if request.param == "numpy":
        monkeypatch.setattr(native, "library", lambda: None)
    elif native.library() is None:
        pytest.skip("the kernels were not compiled on this machine")
